"""From the files of a plant folder to a `Plant`, with everything that is wrong in them, at its place."""

from hmi.config.folder import PlantFolderMissing, read_files
from hmi.config.load import load_plant, revision_of

__all__ = ["PlantFolderMissing", "load_plant", "read_files", "revision_of"]
