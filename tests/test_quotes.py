"""A quote is a whole sentence, a whole row or a whole list, word for word."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.quotes import plain, quotes_of
from agent.settings import TurnSettings
from agent.values import Passage

TEXT = """“循环变频故障”表示**停机**。对应循环泵停止运行!

处理步骤:

1. 切换到“手动”。
2. 断开电源
   并上锁挂牌。

3. 读取代码。

| 参数 | 上限 |
|---|---|
| 温度 | 85 ℃ |
| 压力 | 0.6 MPa |

Set it to 3.5 bar. Then wait.
"""


def quotes(text: str, question: str = "") -> list[tuple[str, str]]:
    passage = Passage("M1", "t", "6.2", "h", None, text, "zh")
    return [(quote.kind, quote.text) for quote in quotes_of(passage, question, TurnSettings())]


def cores(text: str) -> list[tuple[str, str]]:
    passage = Passage("M1", "t", "6.2", "h", None, text, "zh")
    return [(quote.said, quote.text) for quote in quotes_of(passage, "", TurnSettings())]


def test_pieces_of_a_section() -> None:
    """Sentences with their short paragraph, a list with its lead-in and all its steps, rows with the table's heading,
    and the table.
    """
    assert quotes(TEXT) == [
        ("sentence", "“循环变频故障”表示停机。对应循环泵停止运行!"),
        ("sentence", "“循环变频故障”表示停机。对应循环泵停止运行!"),
        ("steps", "处理步骤:\n1. 切换到“手动”。\n2. 断开电源并上锁挂牌。\n3. 读取代码。"),
        ("row", "参数 | 上限\n温度 | 85 ℃"),
        ("row", "参数 | 上限\n压力 | 0.6 MPa"),
        ("table", "参数 | 上限\n温度 | 85 ℃\n压力 | 0.6 MPa"),
        ("sentence", "Set it to 3.5 bar. Then wait."),
        ("sentence", "Set it to 3.5 bar. Then wait."),
    ]
    assert [core for core, _ in cores(TEXT)][:2] == ["“循环变频故障”表示停机。", "对应循环泵停止运行!"]


def test_a_sentence_brings_what_it_leans_on() -> None:
    """`It`, `this` and 该 say nothing without the sentence, or the code, before them."""
    filler = "Unrelated words about the whole machine and its history stand here at some length. " * 4
    text = f"When you see this:\n\n```\nE: late\n```\n\nThis comes from the timer. It is a sign of load. {filler}"
    wanted = "When you see this:\nE: late\nThis comes from the timer. It is a sign of load."
    assert ("It is a sign of load.", wanted) in cores(text)
    assert ("该值为 5 秒。", "刷新间隔可以设置。该值为 5 秒。") in cores(
        "刷新间隔可以设置。该值为 5 秒。" + "说明。" * 100
    )


def test_lines_of_a_configuration_stand_alone() -> None:
    """Plain values of one object together, the object with all it holds, and neither brackets nor comments."""
    text = """Limits of the tank:

```json
// example
{
  "tag": "tank",
  "alarms": [
    {
      "level": "High",
      "above": 90
    },
    {
      "level": "Low",
      "below": 20,
      "actions": [
        "stop"
      ]
    }
  ]
}
```
"""
    lines = [text for kind, text in quotes(text) if kind == "line"]
    assert 'Limits of the tank:\n"level": "High",\n"above": 90' in lines
    assert 'Limits of the tank:\n{\n  "level": "Low",\n  "below": 20,\n  "actions": [\n    "stop"\n  ]\n}' in lines
    assert not any("example" in line for line in lines)


def test_change_from_to_is_one_piece() -> None:
    """Two listings with a word between them, under their lead-in, and about what the note is about."""
    text = (
        '!!! tip "Screens of the first series"\n\n    `edit /boot/a.txt` and change\n\n    ```sh\n    a=1\n    ```\n\n'
    )
    text += "    to\n\n    ```sh\n    a=2\n    ```\n"
    passage = Passage("M1", "t", "6.2", "h", None, text, "en")
    (quote,) = quotes_of(passage, "", TurnSettings())
    assert (quote.text, quote.about) == ("edit /boot/a.txt and change\na=1\nto\na=2", "Screens of the first series")


def test_a_list_goes_on_after_a_warning() -> None:
    """What stands between two steps stays between them; no step and no warning is left out, however long the list."""
    steps = [f"{i}. {'Do this thing with care and then the next. ' * 4}" for i in range(1, 13)]
    text = "\n".join(steps[:2]) + "\n\nWARNING: wait 10 minutes.\n\n" + "\n".join(steps[2:])
    (kind, quote) = quotes(text)[0]
    assert kind == "steps"
    places = [quote.index(found) for found in ("1. Do", "2. Do", "WARNING: wait 10 minutes.", "3. Do", "12. Do")]
    assert places == sorted(places)


def test_a_new_list_is_another() -> None:
    """Numbers that begin again belong to another list."""
    assert [text[:4] for kind, text in quotes("1. Stop it now.\n\nThen:\n\n1. Start it.") if kind == "steps"] == [
        "1. S",
        "Then",
    ]


def test_code_is_one_piece_with_what_leads_to_it() -> None:
    """Fences of Markdown and AsciiDoc; a single line of dashes is a rule."""
    text = "List the devices.\n\n```bash\nDISPLAY=:0 xinput\n```\n\n"
    text += "The error is:\n\n[source,txt]\n----\nE: delay\n\non task n\n----\n\n----\nThe end is here."
    assert quotes(text) == [
        ("sentence", "List the devices."),
        ("code", "List the devices.\nDISPLAY=:0 xinput"),
        ("code", "The error is:\nE: delay\non task n"),
        ("sentence", "The end is here."),
    ]


def test_the_persons_own_words_are_no_answer() -> None:
    """A sentence that only repeats the question is not offered."""
    assert ("sentence", "对应循环泵停止运行!") not in quotes(TEXT, "为什么对应循环泵停止运行?")


def test_a_number_is_no_end() -> None:
    """3.5 and 8 kPa do not end a sentence, and `2.5 bar` begins no list."""
    assert quotes("Keep it at\n2.5 bar or more.") == [("sentence", "Keep it at 2.5 bar or more.")]


@settings(deadline=None)
@given(st.text(alphabet="ab 。.!|-\n1:*`{}#", max_size=300))
def test_every_quote_stands_in_its_passage(text: str) -> None:
    """Nothing is added but line breaks and the heading of a table: every letter comes from the text, in order."""
    whole = plain(text)
    for kind, quote in quotes(text):
        if kind in ("row", "item", "line"):
            assert all(plain(line) in whole for line in quote.splitlines())
        else:
            assert plain(quote) in whole
