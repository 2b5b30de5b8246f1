"""Hindsight: a desktop HMI for a plant that is described in text files."""

__version__ = "0.1.0"
