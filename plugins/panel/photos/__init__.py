"""From a photo to the image that is read: its quality, its turn, its perspective."""
