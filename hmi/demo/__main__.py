"""`python -m hmi.demo`: the demo devices as a program of their own, for `hmi.demo.process`."""

import asyncio
import logging
import signal

from hmi.demo.serve import serve_standard_streams


def main() -> None:
    """Serve until standard input ends."""
    # Ctrl-C in the terminal, and its closing, reach the whole group; who started us decides when the plant ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # Every client that goes away without a word is a warning to these two; to a plant it is a usual day.
    for library in ("asyncua", "pymodbus"):
        logging.getLogger(library).setLevel(logging.ERROR)
    asyncio.run(serve_standard_streams())


if __name__ == "__main__":
    main()
