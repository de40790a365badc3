"""Reading text: the protocol of readers, PP-OCRv6 on onnxruntime, and readers that came as modules."""
