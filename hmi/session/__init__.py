"""What a view sees of a plant: live from the collector, or at another time from the historian."""
