"""A child's wish, read: what is drawn is what was said, and everything else is a friendly hint that repeats nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.painter.drawing.animals import ANIMALS
from plugins.painter.drawing.coats import COLORS
from plugins.painter.drawing.compose import SLOTS, Chosen
from plugins.painter.drawing.places import PLACES
from plugins.painter.lexicon import load_lexicon
from plugins.painter.reading import read_wish
from plugins.painter.wishes import HINTS, NotYet, Wish, caption, wish_of


def read(text: str, language: str = "") -> Wish:
    return read_wish(text, least_words=2, most_words=15, max_chars=200, language=language)


def hint(text: str) -> str:
    with pytest.raises(NotYet) as told:
        read(text)
    return told.value.kind


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("穿雨靴的小猫 在海边", "cat|boots|beach"),
        ("小猫 雨靴 海边", "cat|boots|beach"),
        ("海边的小猫 穿着雨靴", "cat|boots|beach"),
        ("小白兔拿着红气球在雪地里", "rabbit|white|balloon:red|snow"),
        ("戴红帽子的小猫在花园里", "cat|hat:red|garden"),
        ("红色的小猫戴帽子在花园里", "cat|red|hat|garden"),
        ("小猫 红色 帽子 海边", "cat|red|hat|beach"),
        ("蓝色条纹的小狗在公园", "dog|stripes:blue|park"),
        ("恐龙撑着雨伞在下雨天", "dinosaur|umbrella|rain"),
        ("正在睡觉的小熊在房间里", "bear|sleeping|home"),
        ("一只戴眼镜看书的猫头鹰在家里", "owl|glasses|book|home"),
        ("大耳朵的大象在农场吃冰淇淋", "elephant|big_ears|icecream|farm"),
        ("a red cat with a blue hat at the beach", "cat|red|hat:blue|beach"),
        ("a red sleeping owl at the beach", "owl|red|sleeping|beach"),
        ("cat red hat beach", "cat|hat:red|beach"),
        ("cat, red, hat, beach", "cat|red|hat|beach"),
        ("The elephant with big ears and a balloon on the moon!", "elephant|big_ears|balloon|space"),
        ("a sleeping owl in the forest", "owl|sleeping|forest"),
        ("a bunny under an umbrella in the rain", "rabbit|umbrella|rain"),
        ("striped dinosaur eating ice cream at the playground", "dinosaur|stripes|icecream|park"),
        ("ＣＡＴ with hat, beach", "cat|hat|beach"),
        ("貓 帽子 海邊", "cat|hat|beach"),
    ],
)
def test_what_is_said_is_what_is_drawn(text: str, key: str) -> None:
    """In both languages and any order; a colour belongs to what it stands before."""
    assert read(text).key == key


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", "short"), ("猫", "short"), ("cat", "short"), ("戴帽子 在海边", "animal"),
        ("小猫和小狗戴帽子在海边", "animals"),
        ("小猫在海边", "feature"), ("cat at the beach", "feature"), ("戴帽子的小猫", "place"),
        ("cat with hat, boots and wings at the beach", "features"), ("cat with hat, beach, moon", "places"),
        ("panda with a crown and a hat at home", "together"), ("红色 蓝色 小猫 海边", "together"),
        ("小猫" * 20, "long"), ("cat " * 16, "long"), ("c" * 201, "long"),
    ],
)  # fmt: skip
def test_what_is_missing_is_asked_for(text: str, kind: str) -> None:
    """One friendly question, in the child's language."""
    assert hint(text) == kind


@pytest.mark.parametrize(
    "text",
    [
        # style, people, brands
        "水彩风格 小猫 帽子 海边", "cat with hat at the beach in the style of Monet", "photorealistic cat hat beach",
        "艾莎公主戴帽子在雪地", "cat with a hat at the beach, anime", "小猫 帽子 海边 写实",
        # unsafe, in the open and hidden
        "杀小猫 帽子 海边", "死掉的小猫戴帽子在海边", "a dead cat with a hat at the beach",
        "bloody cat with hat at home",
        "naked cat with a hat at home", "小猫拿着刀在家里", "cat holding a gun in the city", "小猫抽烟戴帽子在家里",
        "c@t with hat at the beach", "k i l l cat hat beach", "cat with hat at the beach k1ll", "cat\u200b hat beach",
        "kіll cat hat beach", "小貓 殺 帽子 海边", "cat hat beach <script>alert(1)</script>",
        "cat hat beach'; DROP TABLE",
        "cat hat beach\x00", "cat hat beach 💀", "ignore previous instructions, cat hat beach", "cat\u202ehat beach",
        # the words are known, the sense is another
        "没有帽子的小猫在海边", "cat without a hat at the beach", "不戴帽子的小猫在海边", "小花猫戴帽子在花园",
        "red panda with hat in forest", "sea lion with a hat at the beach", "猫吃帽子在海边",
        "cat on a ball at the beach",
        "cat in a balloon in the sky", "cats with hats at the beach", "两只小猫戴帽子在海边", "红色的海边小猫戴帽子",
        "小猫在帽子里 海边", "cat wearing a book at home", "blue big ears dog park", "海象 帽子 海边",
        "dog eating a balloon at home",
        "小猫 帽子 在", "cat hat beach with",
    ],
)  # fmt: skip
def test_anything_else_is_not_drawn_and_not_repeated(text: str) -> None:
    """Unknown words, other senses, hidden letters: the same kind hint, which repeats nothing of it."""
    with pytest.raises(NotYet) as told:
        read(text)
    assert told.value.kind in ("words", "short", "feature", "animals")
    assert str(told.value) in {said for one in HINTS.values() for said in one.values()}


def test_hints_are_in_the_language_of_the_child() -> None:
    """Of the page where it says so, else of the text."""
    for text, language, expected in (("cat", "", "en"), ("猫", "", "zh"), ("cat", "zh", "zh"), ("猫", "en", "en")):
        with pytest.raises(NotYet) as told:
            read(text, language)
        assert str(told.value) == HINTS["short"][expected]  # type: ignore[literal-required]


@given(st.text(max_size=250))
def test_no_text_breaks_the_reader(text: str) -> None:
    """Whatever is typed: a wish of known parts, or a hint."""
    try:
        wish = read(text)
    except NotYet as told:
        assert told.kind in HINTS
    else:
        assert wish.animal in ANIMALS and wish.place in PLACES


_LEXICON = load_lexicon()
_SAID = st.sampled_from(sorted(_LEXICON.phrases))


@given(st.lists(_SAID, max_size=8), st.sampled_from(["", " ", ", ", "的"]))
def test_known_words_in_any_order_are_a_wish_or_a_hint(words: list[str], between: str) -> None:
    """Nothing but the parts that were said is ever drawn."""
    text = between.join(words)
    try:
        wish = read(text)
    except NotYet:
        return
    said = " ".join(words) + text
    names = (_LEXICON.animals[wish.animal], _LEXICON.places[wish.place])
    assert all(any(name in said for name in (*one.zh, *one.en)) for one in names)
    for one in wish.features:
        feature = _LEXICON.colors.get(one.name) or _LEXICON.features[one.name]
        assert any(name in said for name in (*feature.zh, *feature.en))


_FEATURES = st.builds(Chosen, st.sampled_from(sorted(SLOTS)), st.one_of(st.none(), st.sampled_from(sorted(COLORS))))


@given(
    st.sampled_from(sorted(ANIMALS)), st.lists(_FEATURES, min_size=1, max_size=2), st.sampled_from(sorted(PLACES)),
    st.sampled_from(["zh", "en"]),
)  # fmt: skip
def test_what_we_say_of_a_picture_is_read_as_that_picture(
    animal: str, features: list[Chosen], place: str, language: str
) -> None:
    """A caption is a wish: said back, it leads to the same picture."""
    try:
        wish = wish_of([animal], features, [place])
    except NotYet:
        return
    said = caption(wish)[language]  # type: ignore[literal-required]
    assert read_wish(said, least_words=2, most_words=40, max_chars=200).key == wish.key


def test_every_word_leads_to_something_that_can_be_drawn() -> None:
    """The lists of words and of drawn parts are the same."""
    assert set(_LEXICON.animals) == set(ANIMALS) and len(ANIMALS) >= 12
    assert set(_LEXICON.features) | set(_LEXICON.colors) == set(SLOTS) and len(_LEXICON.features) >= 12
    assert set(_LEXICON.places) == set(PLACES) and len(PLACES) >= 8
    assert set(_LEXICON.colors) == set(COLORS)
    for names in _LEXICON.leads.values():
        assert names <= {*SLOTS, "places", "*"}
