"""OpenAI's chat completions: requests as this box understands them, and answers as clients expect them."""
