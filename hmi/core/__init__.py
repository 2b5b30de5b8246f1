"""What a plant is: tags, values with their time and quality, alarms, screens. No Qt, no input or output."""
