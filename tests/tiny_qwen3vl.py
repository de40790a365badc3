"""Writes a Qwen3-VL with random weights, tiny or of any size: a GGUF and its projector, with the real vocabulary.

What it says is noise, and that is enough to test loading, prompting, images, caches and grammars, and at true size to
measure them. The vocabulary is copied byte for byte from the 0.5B, which has Qwen's own; key and tensor names are those
that llama.cpp reads for `qwen3vl`.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.gguf_file import GgufFile, Value, string, tokenizer_entries

__all__ = ["Shape", "TinyFiles", "write_qwen3vl", "write_tiny_qwen3vl"]

PATCH, MERGE, EYE_SIDE = 16, 2, 768
QWEN3_ADDED = {151665: b"<tool_response>", 151666: b"</tool_response>", 151667: b"<think>", 151668: b"</think>"}
"""What Qwen3 has and Qwen2.5 has not."""
USER_DEFINED = 4
BLOCK = 1 << 22
"""Random numbers that are drawn at once."""
TEMPLATE = """\
{%- macro body(content) -%}
    {%- if content is string -%}{{ content }}
    {%- else -%}
        {%- for part in content -%}
            {%- if part.type == 'image' -%}<|vision_start|><|image_pad|><|vision_end|>
            {%- else -%}{{ part.text }}{%- endif -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro -%}
{%- if tools %}
    {{- '<|im_start|>system\\n' + body(messages[0].content) + '\\n\\n<tools>' }}
    {%- for tool in tools %}{{- '\\n' }}{{- tool | tojson }}{%- endfor %}
    {{- '\\n</tools>\\nCall with <tool_call>JSON</tool_call><|im_end|>\\n' }}
{%- endif %}
{%- for message in messages %}
    {%- if message.role == 'tool' %}
        {{- '<|im_start|>user\\n<tool_response>\\n' + body(message.content) + '\\n</tool_response><|im_end|>\\n' }}
    {%- elif not (tools and loop.first) %}
        {{- '<|im_start|>' + message.role + '\\n' + body(message.content) + '<|im_end|>\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}
"""


@dataclass(frozen=True, slots=True)
class Shape:
    """How large it is; `eye` is the vision encoder."""

    width: int
    heads: int
    kv_heads: int
    head: int
    """Width of one attention head."""
    feed: int
    layers: int
    rope_sections: tuple[int, int, int, int]
    eye_width: int
    eye_heads: int
    eye_feed: int
    eye_layers: int
    deep_layers: tuple[int, ...]
    """Layers of the encoder whose output goes into early layers of the model as well."""
    context: int


TINY = Shape(
    width=64,
    heads=4,
    kv_heads=2,
    head=32,
    feed=128,
    layers=2,
    rope_sections=(8, 4, 4, 0),
    eye_width=64,
    eye_heads=4,
    eye_feed=128,
    eye_layers=2,
    deep_layers=(1,),
    context=32_768,
)


@dataclass(frozen=True, slots=True)
class TinyFiles:
    """What was written."""

    model: Path
    projector: Path


def write_tiny_qwen3vl(vocabulary: Path, folder: Path, *, template: str | None = TEMPLATE) -> TinyFiles:
    """Write both files of a tiny one.

    :param vocabulary: a GGUF with Qwen's vocabulary.
    :param template: the chat template; None leaves it out.
    """
    files = TinyFiles(folder / "tiny-qwen3vl.gguf", folder / "tiny-qwen3vl-mmproj.gguf")
    write_qwen3vl(files, vocabulary, TINY, template=template)
    return files


def write_qwen3vl(files: TinyFiles, vocabulary: Path, shape: Shape, *, template: str | None = TEMPLATE) -> None:
    """Write both files, in 16 bits; the same numbers every time.

    :param vocabulary: a GGUF with Qwen's vocabulary.
    :param template: the chat template; None leaves it out.
    """
    rng = np.random.default_rng(7)
    _write_model(files.model, vocabulary, shape, rng, template)
    _write_projector(files.projector, shape, rng)


class _Tensors:
    """Tensors of a file, filled with noise or ones as they are written."""

    def __init__(self, file: GgufFile, rng: np.random.Generator) -> None:
        self._file = file
        self._rng = rng

    def noise(self, name: str, *shape: int, scale: float = 0.0, half: bool = True) -> None:
        """By default scaled so that every layer changes what the next one sees."""
        spread = scale or 1.5 / float(np.sqrt(np.prod(shape[1:])))

        def make() -> NDArray[np.generic]:
            made = np.empty(shape, np.float16)
            flat = made.reshape(-1)
            for start in range(0, flat.size, BLOCK):
                part = flat[start : start + BLOCK]
                part[:] = self._rng.standard_normal(part.size, dtype=np.float32) * np.float32(spread)
            return made if half else made.astype(np.float32)

        self._file.tensor(name, shape, make, half=half)

    def signs(self, name: str, size: int) -> None:
        choices = np.array([-1, 1], np.float32)
        self._file.tensor(name, (size,), lambda: self._rng.choice(choices, size), half=False)

    def ones(self, name: str, size: int) -> None:
        self._file.tensor(name, (size,), lambda: np.ones(size, np.float32), half=False)

    def zeros(self, name: str, size: int) -> None:
        self._file.tensor(name, (size,), lambda: np.zeros(size, np.float32), half=False)


def _add_vocabulary(file: GgufFile, source: Path) -> int:
    entries = tokenizer_entries(source)
    tokens, types = entries["tokenizer.ggml.tokens"], entries["tokenizer.ggml.token_type"]
    size: int = struct.unpack_from("<Q", tokens, 8 + len("tokenizer.ggml.tokens") + 8)[0]
    for token, text in QWEN3_ADDED.items():
        tokens = tokens.replace(string(b"[PAD%d]" % token), string(text))
        place = len(types) - 4 * (size - token)
        types = types[:place] + struct.pack("<i", USER_DEFINED) + types[place + 4 :]
    for entry in (entries | {"tokenizer.ggml.tokens": tokens, "tokenizer.ggml.token_type": types}).values():
        file.add_raw(entry)
    return size


def _write_model(path: Path, vocabulary: Path, shape: Shape, rng: np.random.Generator, template: str | None) -> None:
    file = GgufFile()
    file.add("general.architecture", "qwen3vl")
    entries: dict[str, Value] = {
        "block_count": shape.layers,
        "context_length": shape.context,
        "embedding_length": shape.width,
        "feed_forward_length": shape.feed,
        "attention.head_count": shape.heads,
        "attention.head_count_kv": shape.kv_heads,
        "attention.key_length": shape.head,
        "attention.value_length": shape.head,
        "attention.layer_norm_rms_epsilon": 1e-6,
        "rope.freq_base": 5e6,
        "rope.dimension_sections": list(shape.rope_sections),
        "n_deepstack_layers": len(shape.deep_layers),
    }
    for key, value in entries.items():
        file.add(f"qwen3vl.{key}", value)
    size = _add_vocabulary(file, vocabulary)
    if template is not None:
        file.add("tokenizer.chat_template", template)
    tensors = _Tensors(file, rng)
    tensors.noise("token_embd.weight", size, shape.width, scale=0.05)
    # Random signs: with tied embeddings and plain ones it would repeat the last token for ever.
    tensors.signs("output_norm.weight", shape.width)
    for layer in range(shape.layers):
        _add_layer(tensors, f"blk.{layer}.", shape)
    file.write(path)


def _add_layer(tensors: _Tensors, name: str, shape: Shape) -> None:
    tensors.ones(name + "attn_norm.weight", shape.width)
    tensors.ones(name + "ffn_norm.weight", shape.width)
    tensors.noise(name + "attn_q.weight", shape.heads * shape.head, shape.width)
    tensors.noise(name + "attn_k.weight", shape.kv_heads * shape.head, shape.width)
    tensors.noise(name + "attn_v.weight", shape.kv_heads * shape.head, shape.width)
    tensors.noise(name + "attn_output.weight", shape.width, shape.heads * shape.head)
    tensors.ones(name + "attn_q_norm.weight", shape.head)
    tensors.ones(name + "attn_k_norm.weight", shape.head)
    tensors.noise(name + "ffn_gate.weight", shape.feed, shape.width)
    tensors.noise(name + "ffn_up.weight", shape.feed, shape.width)
    tensors.noise(name + "ffn_down.weight", shape.width, shape.feed)


def _write_projector(path: Path, shape: Shape, rng: np.random.Generator) -> None:
    file = GgufFile()
    file.add("general.architecture", "clip")
    file.add("clip.has_vision_encoder", True)
    file.add("clip.projector_type", "qwen3vl_merger")
    file.add("clip.use_gelu", True)
    entries: dict[str, Value] = {
        "image_size": EYE_SIDE,
        "patch_size": PATCH,
        "spatial_merge_size": MERGE,
        "embedding_length": shape.eye_width,
        "feed_forward_length": shape.eye_feed,
        "block_count": shape.eye_layers,
        "attention.head_count": shape.eye_heads,
        "projection_dim": shape.width,
        "attention.layer_norm_epsilon": 1e-6,
        "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.5, 0.5, 0.5],
        "is_deepstack_layers": [layer in shape.deep_layers for layer in range(shape.eye_layers)],
    }
    for key, value in entries.items():
        file.add(f"clip.vision.{key}", value)
    width, merged = shape.eye_width, shape.eye_width * MERGE * MERGE
    tensors = _Tensors(file, rng)
    tensors.noise("v.patch_embd.weight", width, 3, PATCH, PATCH)
    tensors.noise("v.patch_embd.weight.1", width, 3, PATCH, PATCH)
    tensors.zeros("v.patch_embd.bias", width)
    tensors.noise("v.position_embd.weight", (EYE_SIDE // PATCH) ** 2, width, half=False)
    for layer in range(shape.eye_layers):
        _add_eye_layer(tensors, f"v.blk.{layer}.", shape)
    tensors.ones("v.post_ln.weight", width)
    tensors.zeros("v.post_ln.bias", width)
    deep = [f"v.deepstack.{layer}.fc{i}" for layer in shape.deep_layers for i in (1, 2)]
    for name in ("mm.0", "mm.2", *deep):
        rows = shape.width if name.endswith("2") else merged
        tensors.noise(name + ".weight", rows, merged)
        tensors.zeros(name + ".bias", rows)
    for layer in shape.deep_layers:
        tensors.ones(f"v.deepstack.{layer}.norm.weight", merged)
        tensors.zeros(f"v.deepstack.{layer}.norm.bias", merged)
    file.write(path)


def _add_eye_layer(tensors: _Tensors, name: str, shape: Shape) -> None:
    width = shape.eye_width
    tensors.noise(name + "attn_qkv.weight", 3 * width, width)
    tensors.zeros(name + "attn_qkv.bias", 3 * width)
    tensors.noise(name + "attn_out.weight", width, width)
    tensors.zeros(name + "attn_out.bias", width)
    for norm in ("ln1", "ln2"):
        tensors.ones(name + norm + ".weight", width)
        tensors.zeros(name + norm + ".bias", width)
    tensors.noise(name + "ffn_up.weight", shape.eye_feed, width)
    tensors.zeros(name + "ffn_up.bias", shape.eye_feed)
    tensors.noise(name + "ffn_down.weight", width, shape.eye_feed)
    tensors.zeros(name + "ffn_down.bias", width)
