"""The drawing: shapes, animals, what they wear and hold, places; `compose` lays them over each other."""
