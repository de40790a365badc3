"""Whether a number can be trusted: its ink, its format, further looks, and how often such a number is right."""
