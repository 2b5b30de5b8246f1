"""The window: banner, navigation, time bar and the views between them."""
