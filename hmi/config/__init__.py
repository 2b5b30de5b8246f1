"""From the files of a plant folder to a `Plant`, with everything that is wrong in them, at its place."""
