"""The simulated waterworks, served as real devices on loopback: nothing above it knows that it is not a plant."""
