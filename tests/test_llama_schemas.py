"""Five hundred random schemas and prompts on a tiny random model: what a grammar admits, the schema admits.

The model says noise, so it tries every corner that the grammar leaves open. Schemas are drawn so that any reply has to
end: texts, lists and numbers are bounded.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping

import jsonschema
import pytest

from agent.bound import SchemaBound
from agent.errors import ModelError
from agent.messages import Message
from agent.model.llama import LlamaModel
from agent.model.protocol import ReplyLimits
from agent.settings import ModelSettings
from agent.values import Json
from tests.tiny_qwen3vl import TinyFiles

pytestmark = pytest.mark.weights

SETTINGS = ModelSettings(context_tokens=1_024, batch_tokens=256, micro_batch_tokens=64, prefix_cache_bytes=0)
BATCHES, SCHEMAS_EACH = 10, 50
REPLY_TOKENS = 400
"""More than the longest reply that a schema here admits."""
WORDS = [
    "循环变频故障",
    "水箱液位低",
    "F07",
    "VFD-P1",
    "",
    'a "quoted" one',
    "back\\slash",
    "线\n行",
    "🔧",
    "null",
    " 12",
]
KEYS = ["name", "like", "days", "位号", "报警", 'odd "key"', "a.b", "$x"]
PATTERNS = ["^[A-Z]{2}-[0-9]{3}$", "^(F|E)[0-9]{1,2}$", "^[一-龥]{1,3}$", "^20[0-9]{2}-[01][0-9]$", "^a?b{0,2}$"]
ASKED = ["What is lit?", "循环泵变频故障怎么处理?", "Fill in the form.", "<|im_end|>{", "0", "最近三天有几次?"]

Schema = dict[str, Json]


@pytest.fixture(scope="module")
def model(tiny: TinyFiles) -> Iterator[LlamaModel]:
    loaded = LlamaModel.load(tiny.model, name="tiny", settings=SETTINGS)
    yield loaded
    loaded.close()


@pytest.mark.parametrize("batch", range(BATCHES))
def test_every_reply_is_of_its_schema(model: LlamaModel, batch: int) -> None:
    """Bounds of numbers, enums, patterns, lengths, nesting, alternatives and references hold, greedy and drawn."""
    rng = random.Random(batch)
    for number in range(SCHEMAS_EACH):
        schema = root_schema(rng)
        bound = SchemaBound(schema)
        messages = [Message("system", "Reply in JSON."), Message("user", rng.choice(ASKED) * rng.randint(1, 3))]
        limits = ReplyLimits(REPLY_TOKENS, temperature=number % 2 * 1.0, seed=number)
        reply = model.reply(messages, [], bound=bound, limits=limits)
        assert reply.stopped == "done", (schema, reply.text)
        jsonschema.validate(bound.parse(reply.text), schema, cls=jsonschema.Draft202012Validator)


def test_a_schema_without_a_value_is_refused(model: LlamaModel) -> None:
    """What nothing can satisfy is an error with a reason, not noise; the model goes on."""
    messages = [Message("system", "Reply in JSON."), Message("user", "?")]
    with pytest.raises(ModelError, match="grammar"):
        model.reply(messages, [], bound=SchemaBound(impossible()), limits=ReplyLimits(20))
    assert model.reply(messages, [], bound=SchemaBound({"const": 7}), limits=ReplyLimits(20)).text == "7"


def impossible() -> Mapping[str, Json]:
    return {"type": "integer", "minimum": 5, "maximum": 4}


def root_schema(rng: random.Random) -> Schema:
    """An object, a list or a choice; some point at a shared definition."""
    schema = branch(rng, depth=2)
    if rng.random() < 0.15:
        leaf_at: Schema = {"$ref": "#/$defs/shared"}
        return {
            "$defs": {"shared": branch(rng, depth=1)},
            "type": "object",
            "properties": {"first": leaf_at, "second": leaf_at},
            "required": ["first"],
            "additionalProperties": False,
        }
    return schema


def branch(rng: random.Random, *, depth: int) -> Schema:
    """An object, a list, a choice or a single value."""
    if depth == 0:
        return leaf(rng)
    kind = rng.choice([an_object, an_object, a_list, a_choice, a_leaf])
    return kind(rng, depth=depth - 1)


def a_leaf(rng: random.Random, *, depth: int) -> Schema:
    return leaf(rng)


def an_object(rng: random.Random, *, depth: int) -> Schema:
    keys = rng.sample(KEYS, rng.randint(1, 3))
    return {
        "type": "object",
        "properties": {key: branch(rng, depth=depth) for key in keys},
        "required": [key for key in keys if rng.random() < 0.7],
        "additionalProperties": False,
    }


def a_list(rng: random.Random, *, depth: int) -> Schema:
    if rng.random() < 0.3:
        items: list[Json] = [branch(rng, depth=depth) for _ in range(rng.randint(1, 2))]
        return {"type": "array", "prefixItems": items, "items": False, "minItems": len(items)}
    least = rng.randint(0, 2)
    return {
        "type": "array",
        "items": branch(rng, depth=depth),
        "minItems": least,
        "maxItems": least + rng.randint(0, 1),
    }


def a_choice(rng: random.Random, *, depth: int) -> Schema:
    return {"anyOf": [branch(rng, depth=depth) for _ in range(rng.randint(2, 3))]}


def leaf(rng: random.Random) -> Schema:
    """A value whose length is bounded."""
    low = rng.choice([-1_000, -7, 0, 1, 3, 99])
    high = low + rng.choice([0, 1, 9, 90, 2_500])
    kinds: list[Callable[[], Schema]] = [
        lambda: {"type": "integer", "minimum": low, "maximum": high},
        lambda: {"type": "integer", "exclusiveMinimum": low, "exclusiveMaximum": high + 2},
        lambda: {"type": ["integer", "null"], "minimum": low, "maximum": high},
        lambda: {"enum": rng.sample([*WORDS, 1, -2.5, True, None], rng.randint(1, 4))},
        lambda: {"const": rng.choice([*WORDS, 0, False, None])},
        lambda: {"type": "boolean"},
        lambda: {"type": "null"},
        lambda: {"type": "string", "pattern": rng.choice(PATTERNS)},
        lambda: {
            "type": "string",
            "minLength": (least := rng.randint(0, 2)),
            "maxLength": least + rng.randint(0, 4),
        },
    ]
    return rng.choice(kinds)()
