"""What is printed where: label, value and unit by geometry and grammar."""
