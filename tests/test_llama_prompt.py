"""What goes into a prompt: the template may write markup, nobody else may. No weights needed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import ModelError
from agent.messages import Message
from agent.model.constrain import choose
from agent.model.llama_library import check_gguf
from agent.model.llama_vision import fit_pixels
from agent.model.prefix import Memory, Picture, cells_of, common_prefix
from agent.model.template import ChatTemplate, Content, Known, Markup
from agent.model.tokens import PromptTokenizer

QWEN = """\
{%- for message in messages %}
{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}
{%- endfor %}{%- if tools %}{{ tools[0] | tojson }}{% endif %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{% endif %}"""
SPECIALS = {"<|im_start|>": 1_001, "<|im_end|>": 1_002, "<tool_call>": 1_003, "</tool_call>": 1_004}
USER_DEFINED = ("<tool_call>", "</tool_call>")


def plain(text: str) -> list[int]:
    """A vocabulary of characters that, as llama.cpp's does, reads user-defined tokens out of any text."""
    for name in USER_DEFINED:
        if name in text:
            before, after = text.split(name, 1)
            return [*plain(before), SPECIALS[name], *plain(after)]
    return [ord(char) % 1_000 for char in text]


def template(source: str = QWEN, max_chars: int = 4_000) -> ChatTemplate:
    return ChatTemplate(source, max_chars=max_chars, place="test.gguf")


def encode(*messages: Message, known: dict[str, tuple[int, ...]] | None = None) -> list[int]:
    pieces = template().render(messages, [], sees=False, known=known or {})
    return PromptTokenizer(SPECIALS, plain, first=None).encode(pieces)


def test_markup_and_contents_are_kept_apart() -> None:
    """What the template wrote is markup, what a person said is content, in the order of the prompt."""
    pieces = template().render([Message("user", "hello")], [], sees=False, known={})
    assert pieces == [
        Markup("<|im_start|>user\n"),
        Content("hello"),
        Markup("<|im_end|>\n<|im_start|>assistant\n"),
    ]


@given(
    st.lists(
        st.sampled_from(
            ["<|im_end|>", "<tool_call>", "</tool_call>", "<", ">", "tool_call>", "<tool_", "\ue000", "0", "\ue001"]
        )
        | st.text(max_size=4)
    ).map("".join)
)
def test_no_text_becomes_a_control_token(text: str) -> None:
    """Whatever a person, a panel or a manual says, the prompt holds just the template's own control tokens."""
    for message in (Message("user", text), Message("tool", text), Message("system", text)):
        tokens = encode(message)
        assert [token for token in tokens if token > 1_000] == [1_001, 1_002, 1_001]


def test_pieces_of_a_control_token_do_not_join() -> None:
    """Half a control token from the template and half from a content stay text."""
    pieces = [Markup("<tool_"), Content("call>"), Markup("x")]
    assert not [t for t in PromptTokenizer(SPECIALS, plain, first=None).encode(pieces) if t > 1_000]


def test_a_run_is_tokenised_as_one_text() -> None:
    """From one control token to the next the tokeniser sees one text, so pairs merge as the model was trained."""
    seen: list[str] = []

    def listen(text: str) -> list[int]:
        seen.append(text)
        return [5]

    PromptTokenizer(SPECIALS, listen, first=None).encode(
        template().render([Message("user", "hello")], [], sees=False, known={})
    )
    assert seen == ["user\nhello", "\n", "assistant\n"]


def test_own_calls_are_markup_where_a_call_stands() -> None:
    """The assistant's own call keeps its control tokens; the same words inside an argument do not."""
    call = '<tool_call>\n{"name": "x", "arguments": {"like": "<tool_call></tool_call>"}}\n</tool_call>'
    tokens = encode(Message("assistant", call))
    assert [token for token in tokens if token in (1_003, 1_004)] == [1_003, 1_004]


def test_own_replies_stand_as_the_tokens_they_were() -> None:
    """A reply that comes back as a message continues the memory token by token."""
    pieces = template().render([Message("assistant", "yes")], [], sees=False, known={"yes": (7, 8)})
    assert Known((7, 8)) in pieces
    tokens = encode(Message("assistant", "yes"), known={"yes": (7, 8)})
    assert tokens[: tokens.index(1_002)] == [1_001, *plain("assistant\n"), 7, 8]


@pytest.mark.parametrize(
    "source",
    [
        "{{ messages[0].content * 100000000 }}",
        "{% for a in range(9999) %}xxxxxxxxxx{% endfor %}",
        "{% for a in range(99999999) %}{% endfor %}",
        "{{ 9 ** 999999999 }}",
        "{{ messages.__class__.__mro__ }}",
        "{{ raise_exception('no system role') }}",
        "{{ undefined.thing }}",
        "{{ '\ue00099\ue001' }}",
        "{% for x in %}",
        "{{ 'x' }}" * 1_000,
    ],
)
def test_a_hostile_template_is_a_model_error(source: str) -> None:
    """A template that is malformed, breaks out or writes without end is refused with the file's name."""
    with pytest.raises(ModelError, match=r"test\.gguf"):
        template(source).render([Message("user", "x")], [], sees=False, known={})


def test_templates_know_the_date() -> None:
    """`strftime_now` is there, as templates expect."""
    [year] = template("{{ strftime_now('%Y') }}").render([], [], sees=False, known={})
    assert isinstance(year, Markup) and year.text.isdigit()


@pytest.mark.parametrize(
    "data", [b"", b"GGUF", b"# a text file\n" * 9, b"GGUF" + b"\xff" * 60, b"GGUF\x03\0\0\0" + bytes(16)]
)
def test_what_is_no_gguf_is_refused_before_native_code(data: bytes, tmp_path: Path) -> None:
    """Empty, short, of another kind, or with an impossible header: a typed error that names the file."""
    path = tmp_path / "x.gguf"
    path.write_bytes(data)
    with pytest.raises(ModelError, match=r"x\.gguf"):
        check_gguf(path)


def test_a_missing_file_is_a_model_error(tmp_path: Path) -> None:
    """No such file: a typed error."""
    with pytest.raises(ModelError, match="cannot be read"):
        check_gguf(tmp_path / "none.gguf")


def test_memory_counts_cells_and_positions_apart() -> None:
    """An image takes many cells and few positions, and cutting before it gives both back."""
    memory = Memory()
    memory.add([1, 2, Picture("d", 300, 20), 3])
    assert (cells_of(memory.entries), memory.position) == (303, 23)
    memory.cut(2)
    assert (cells_of(memory.entries), memory.position) == (2, 2)


def test_common_prefix_ends_at_another_image() -> None:
    """Images are the same by pixels, not by place."""
    assert common_prefix([1, Picture("a", 9, 3), 2], [1, Picture("b", 9, 3), 2]) == 1
    assert common_prefix([1, Picture("a", 9, 3), 2], [1, Picture("a", 9, 3), 4, 5]) == 2


@given(st.sets(st.integers(0, 99), min_size=1), st.floats(0, 2), st.integers(0, 9))
def test_choice_stays_in_the_mask(allowed: set[int], temperature: float, seed: int) -> None:
    """Greedy or drawn, the token is allowed; greedy is the best of those allowed."""
    logits = np.random.default_rng(seed).standard_normal(100).astype(np.float32)
    bits = np.zeros(104, np.uint8)
    bits[list(allowed)] = 1
    mask = np.packbits(bits, bitorder="little")
    token = choose(logits, mask, temperature, np.random.default_rng(seed))
    assert token in allowed
    if temperature == 0:
        assert token == max(allowed, key=lambda i: logits[i])


@given(st.integers(1, 5_000), st.integers(1, 5_000), st.integers(16, 600))
def test_photos_fit_their_tokens(width: int, height: int, tokens: int) -> None:
    """Any shape becomes whole cells, at least one and at most the limit."""
    if width * height > 2_000_000:
        width = max(1, 2_000_000 // height)
    pixels = fit_pixels(np.zeros((height, width, 3), np.uint8), 32, tokens)
    rows, columns = pixels.shape[0] // 32, pixels.shape[1] // 32
    assert pixels.shape == (rows * 32, columns * 32, 3)
    assert 1 <= rows * columns <= tokens


def test_a_sliver_is_padded_not_stretched() -> None:
    """A 1 × 4000 image keeps its one column of pixels."""
    pixels = fit_pixels(np.zeros((4_000, 1, 3), np.uint8), 32, 512)
    assert pixels.shape == (4_000, 32, 3)
    assert (pixels[:, 0] == 0).all() and (pixels[:, 1:] == 127).all()


def test_a_photo_without_pixels_is_a_model_error() -> None:
    """Nothing to see is said so."""
    with pytest.raises(ModelError, match="0 × 5"):
        fit_pixels(np.zeros((5, 0, 3), np.uint8), 32, 512)
