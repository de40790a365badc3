"""Writes a tiny Qwen3-VL with random weights: a GGUF and its projector, of the real shape and vocabulary.

What it says is noise, and that is enough to test loading, prompting, images, caches and grammars. The vocabulary is
copied byte for byte from the 0.5B, which has Qwen's own; key and tensor names are those that llama.cpp reads for
`qwen3vl`. The gguf package would take nine seconds over that vocabulary, so the container is written here.
"""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["TinyFiles", "write_tiny_qwen3vl"]

WIDTH, HEADS, KV_HEADS, HEAD, FEED, LAYERS = 64, 4, 2, 32, 128, 2
EYE_WIDTH, EYE_HEADS, EYE_FEED, EYE_LAYERS, DEEP_LAYER = 64, 4, 128, 2, 1
PATCH, MERGE, EYE_SIDE = 16, 2, 768
QWEN3_ADDED = {151665: b"<tool_response>", 151666: b"</tool_response>", 151667: b"<think>", 151668: b"</think>"}
"""What Qwen3 has and Qwen2.5 has not."""
USER_DEFINED = 4
ALIGNMENT = 32
Value = str | bool | int | float | list[int] | list[float] | list[bool]
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
class TinyFiles:
    """What was written."""

    model: Path
    projector: Path


def write_tiny_qwen3vl(vocabulary: Path, folder: Path, *, template: str | None = TEMPLATE) -> TinyFiles:
    """Write both files.

    :param vocabulary: a GGUF with Qwen's vocabulary.
    :param template: the chat template; None leaves it out.
    """
    files = TinyFiles(folder / "tiny-qwen3vl.gguf", folder / "tiny-qwen3vl-mmproj.gguf")
    rng = np.random.default_rng(7)
    _write_model(files.model, vocabulary, rng, template)
    _write_projector(files.projector, rng)
    return files


def _noise(rng: np.random.Generator, *shape: int, scale: float = 0.0) -> NDArray[np.float16]:
    """Scaled so that every layer changes what the next one sees."""
    spread = scale or 1.5 / float(np.sqrt(np.prod(shape[1:])))
    return (rng.standard_normal(shape, dtype=np.float32) * spread).astype(np.float16)


def _ones(size: int) -> NDArray[np.float32]:
    return np.ones(size, np.float32)


def _zeros(size: int) -> NDArray[np.float32]:
    return np.zeros(size, np.float32)


class _Gguf:
    """The container: metadata entries, tensor descriptions, tensors."""

    def __init__(self) -> None:
        self._entries: list[bytes] = []
        self._tensors: list[tuple[str, NDArray[np.generic]]] = []

    def add(self, key: str, value: Value) -> None:
        self._entries.append(_string(key.encode()) + _value(value))

    def add_raw(self, entry: bytes) -> None:
        self._entries.append(entry)

    def tensor(self, name: str, data: NDArray[np.generic]) -> None:
        self._tensors.append((name, data))

    def write(self, path: Path) -> None:
        described, offset = [], 0
        for name, data in self._tensors:
            shape = struct.pack(f"<I{data.ndim}Q", data.ndim, *reversed(data.shape))
            described.append(_string(name.encode()) + shape + struct.pack("<IQ", int(data.dtype == np.float16), offset))
            offset += data.nbytes + -data.nbytes % ALIGNMENT
        head = struct.pack("<4sIQQ", b"GGUF", 3, len(self._tensors), len(self._entries))
        head += b"".join(self._entries) + b"".join(described)
        with path.open("wb") as file:
            file.write(head + bytes(-len(head) % ALIGNMENT))
            for _, data in self._tensors:
                file.write(data.tobytes() + bytes(-data.nbytes % ALIGNMENT))


def _string(data: bytes) -> bytes:
    return struct.pack("<Q", len(data)) + data


def _value(value: Value) -> bytes:
    match value:
        case str():
            return struct.pack("<I", 8) + _string(value.encode())
        case bool():
            return struct.pack("<I?", 7, value)
        case int():
            return struct.pack("<II", 4, value)
        case float():
            return struct.pack("<If", 6, value)
        case [bool(), *_]:
            return struct.pack(f"<IIQ{len(value)}?", 9, 7, len(value), *value)
        case _ if all(isinstance(item, float) for item in value):
            return struct.pack(f"<IIQ{len(value)}f", 9, 6, len(value), *value)
        case _:
            return struct.pack(f"<IIQ{len(value)}i", 9, 5, len(value), *value)


def _vocabulary_entries(source: Path) -> dict[str, bytes]:
    """The tokenizer's metadata entries of a GGUF, as they stand in the file."""
    sizes = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
    found: dict[str, bytes] = {}
    with source.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        entries, at = struct.unpack_from("<Q", data, 16)[0], 24
        for _ in range(entries):
            start = at
            length = struct.unpack_from("<Q", data, at)[0]
            key = data[at + 8 : at + 8 + length].decode()
            kind = struct.unpack_from("<I", data, at + 8 + length)[0]
            at += 12 + length
            count = 1
            if kind == 9:
                kind, count = struct.unpack_from("<IQ", data, at)
                at += 12
            if kind == 8:
                for _ in range(count):
                    at += 8 + struct.unpack_from("<Q", data, at)[0]
            else:
                at += sizes[kind] * count
            if key.startswith("tokenizer.ggml."):
                found[key] = data[start:at]
    return found


def _add_vocabulary(file: _Gguf, source: Path) -> int:
    entries = _vocabulary_entries(source)
    tokens, types = entries["tokenizer.ggml.tokens"], entries["tokenizer.ggml.token_type"]
    size: int = struct.unpack_from("<Q", tokens, 8 + len("tokenizer.ggml.tokens") + 8)[0]
    for token, text in QWEN3_ADDED.items():
        tokens = tokens.replace(_string(b"[PAD%d]" % token), _string(text))
        place = len(types) - 4 * (size - token)
        types = types[:place] + struct.pack("<i", USER_DEFINED) + types[place + 4 :]
    for entry in (entries | {"tokenizer.ggml.tokens": tokens, "tokenizer.ggml.token_type": types}).values():
        file.add_raw(entry)
    return size


def _write_model(path: Path, vocabulary: Path, rng: np.random.Generator, template: str | None) -> None:
    file = _Gguf()
    file.add("general.architecture", "qwen3vl")
    for key, value in {
        "block_count": LAYERS,
        "context_length": 32_768,
        "embedding_length": WIDTH,
        "feed_forward_length": FEED,
        "attention.head_count": HEADS,
        "attention.head_count_kv": KV_HEADS,
        "attention.key_length": HEAD,
        "attention.value_length": HEAD,
        "attention.layer_norm_rms_epsilon": 1e-6,
        "rope.freq_base": 5e6,
        "rope.dimension_sections": [HEAD // 4, HEAD // 8, HEAD // 8, 0],
        "n_deepstack_layers": 1,
    }.items():
        file.add(f"qwen3vl.{key}", value)
    size = _add_vocabulary(file, vocabulary)
    if template is not None:
        file.add("tokenizer.chat_template", template)
    file.tensor("token_embd.weight", _noise(rng, size, WIDTH, scale=0.05))
    # Random signs: with tied embeddings and plain ones it would repeat the last token for ever.
    file.tensor("output_norm.weight", rng.choice(np.array([-1, 1], np.float32), WIDTH))
    for layer in range(LAYERS):
        name = f"blk.{layer}."
        file.tensor(name + "attn_norm.weight", _ones(WIDTH))
        file.tensor(name + "ffn_norm.weight", _ones(WIDTH))
        file.tensor(name + "attn_q.weight", _noise(rng, HEADS * HEAD, WIDTH))
        file.tensor(name + "attn_k.weight", _noise(rng, KV_HEADS * HEAD, WIDTH))
        file.tensor(name + "attn_v.weight", _noise(rng, KV_HEADS * HEAD, WIDTH))
        file.tensor(name + "attn_output.weight", _noise(rng, WIDTH, HEADS * HEAD))
        file.tensor(name + "attn_q_norm.weight", _ones(HEAD))
        file.tensor(name + "attn_k_norm.weight", _ones(HEAD))
        file.tensor(name + "ffn_gate.weight", _noise(rng, FEED, WIDTH))
        file.tensor(name + "ffn_up.weight", _noise(rng, FEED, WIDTH))
        file.tensor(name + "ffn_down.weight", _noise(rng, WIDTH, FEED))
    file.write(path)


def _write_projector(path: Path, rng: np.random.Generator) -> None:
    file = _Gguf()
    file.add("general.architecture", "clip")
    file.add("clip.has_vision_encoder", True)
    file.add("clip.projector_type", "qwen3vl_merger")
    file.add("clip.use_gelu", True)
    for key, value in {
        "image_size": EYE_SIDE,
        "patch_size": PATCH,
        "spatial_merge_size": MERGE,
        "embedding_length": EYE_WIDTH,
        "feed_forward_length": EYE_FEED,
        "block_count": EYE_LAYERS,
        "attention.head_count": EYE_HEADS,
        "projection_dim": WIDTH,
        "attention.layer_norm_epsilon": 1e-6,
        "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.5, 0.5, 0.5],
        "is_deepstack_layers": [layer == DEEP_LAYER for layer in range(EYE_LAYERS)],
    }.items():
        file.add(f"clip.vision.{key}", value)
    file.tensor("v.patch_embd.weight", _noise(rng, EYE_WIDTH, 3, PATCH, PATCH))
    file.tensor("v.patch_embd.weight.1", _noise(rng, EYE_WIDTH, 3, PATCH, PATCH))
    file.tensor("v.patch_embd.bias", _zeros(EYE_WIDTH))
    file.tensor("v.position_embd.weight", _noise(rng, (EYE_SIDE // PATCH) ** 2, EYE_WIDTH).astype(np.float32))
    for layer in range(EYE_LAYERS):
        _add_eye_layer(file, f"v.blk.{layer}.", rng)
    file.tensor("v.post_ln.weight", _ones(EYE_WIDTH))
    file.tensor("v.post_ln.bias", _zeros(EYE_WIDTH))
    merged = EYE_WIDTH * MERGE * MERGE
    for name in ("mm.0", "mm.2", f"v.deepstack.{DEEP_LAYER}.fc1", f"v.deepstack.{DEEP_LAYER}.fc2"):
        rows = WIDTH if name.endswith("2") else merged
        file.tensor(name + ".weight", _noise(rng, rows, merged))
        file.tensor(name + ".bias", _zeros(rows))
    file.tensor(f"v.deepstack.{DEEP_LAYER}.norm.weight", _ones(merged))
    file.tensor(f"v.deepstack.{DEEP_LAYER}.norm.bias", _zeros(merged))
    file.write(path)


def _add_eye_layer(file: _Gguf, name: str, rng: np.random.Generator) -> None:
    file.tensor(name + "attn_qkv.weight", _noise(rng, 3 * EYE_WIDTH, EYE_WIDTH))
    file.tensor(name + "attn_qkv.bias", _zeros(3 * EYE_WIDTH))
    file.tensor(name + "attn_out.weight", _noise(rng, EYE_WIDTH, EYE_WIDTH))
    file.tensor(name + "attn_out.bias", _zeros(EYE_WIDTH))
    for norm in ("ln1", "ln2"):
        file.tensor(name + norm + ".weight", _ones(EYE_WIDTH))
        file.tensor(name + norm + ".bias", _zeros(EYE_WIDTH))
    file.tensor(name + "ffn_up.weight", _noise(rng, EYE_FEED, EYE_WIDTH))
    file.tensor(name + "ffn_up.bias", _zeros(EYE_FEED))
    file.tensor(name + "ffn_down.weight", _noise(rng, EYE_WIDTH, EYE_FEED))
    file.tensor(name + "ffn_down.bias", _zeros(EYE_WIDTH))
