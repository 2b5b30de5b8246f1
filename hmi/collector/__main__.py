"""`python -m hmi.collector FOLDER`: how a collector is started detached."""

import sys
from pathlib import Path

from hmi.collector.main import collect

sys.exit(collect(Path(sys.argv[1])))
