"""`watchkeeper devices`, `undo` and `command`: look at the devices of this box, and move them.

Who types a device, a point and a value exactly stands for it, as with an approval; `dangerous` waits all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing

import typer

from agent.actuator import Heard
from agent.api import Env, InputError, ToolCall, emit, say
from agent.commands.approvals import login_name, open_approvals
from agent.commands.ask import build_agent
from agent.console import JSON_OPTION
from agent.orders import Done, Order
from agent.prompt import detect_language
from plugins.devices.commands.approvals import serve_approvals
from plugins.devices.commands.discover import discover_devices
from plugins.devices.opened import OpenHouse
from plugins.devices.undoing import last_commands, undo_of
from plugins.devices.values import Device, Point, Value
from plugins.devices.wording import called, shown, state_line

__all__ = ["act_on_words", "add_commands"]

Opened = Callable[[Env], OpenHouse]
_WAITS = 4
_NOT_DONE = 1
_IDS = typer.Argument(None, metavar="[ID]...", help="Ids; none is all.")
_DRY = typer.Option(False, "--dry-run", help="Say what would be sent, and send nothing.")
_ON = ("true", "on", "yes", "1", "开", "是")
_OFF = ("false", "off", "no", "0", "关", "否")


def add_commands(cli: typer.Typer, opened: Opened) -> None:
    """Add them to the root application.

    :param opened: gives what is open for this box.
    """
    devices = typer.Typer(help="The devices of this box.", no_args_is_help=True)

    @devices.command("list")
    def list_devices(context: typer.Context, as_json: bool = JSON_OPTION) -> None:
        """Show the map: every device, and what can be set.

        Example: watchkeeper devices list
        """
        house = opened(context.obj).house
        for device in house.map.devices:
            emit(_device_json(device), as_json=as_json, human=_device_line(device))
        for warning in house.warnings:
            typer.echo(f"note: {warning}", err=True)

    @devices.command("state")
    def show_state(
        context: typer.Context,
        names: list[str] | None = _IDS,
        as_json: bool = JSON_OPTION,
    ) -> None:
        """Read what devices show now.

        Example: watchkeeper devices state ac-living
        """
        _show(opened(context.obj), names or [], as_json=as_json)

    @devices.command("set")
    def set_point(
        context: typer.Context,
        device: str = typer.Argument(help="The id, as `devices list` shows it."),
        point: str = typer.Argument(help="What to set: power, temperature …"),
        value: str = typer.Argument(help="on, off, a number or a word."),
        unit: str = typer.Option("", help="Where it is not the point's own it is refused."),
        dry_run: bool = _DRY,
        as_json: bool = JSON_OPTION,
    ) -> None:
        """Set one point of a device, and read back whether it is so.

        Example: watchkeeper devices set ac-living temperature 26
        """
        call = _typed_call(opened(context.obj), device, point, value, unit)
        words = f"devices set {device} {point} {value} {unit}".strip()
        _order(context, opened(context.obj), [call], words, dry_run=dry_run, as_json=as_json)

    devices.command("discover")(discover_devices)
    devices.command("approvals")(serve_approvals)
    cli.add_typer(devices, name="devices")

    @cli.command()
    def undo(
        context: typer.Context,
        command: str = typer.Argument("", metavar="[ID]", help="Of a command or turn; else the last one."),
        dry_run: bool = _DRY,
        as_json: bool = JSON_OPTION,
    ) -> None:
        """Put back what the last orders changed.

        Example: watchkeeper undo --dry-run
        """
        open_now = opened(context.obj)
        with open_approvals(context.obj) as (_, commands):
            hours = context.obj.settings.devices.undo_hours
            entries = last_commands(commands.journal, hours, wanted=command)
        orders = [order for entry in entries if (order := undo_of(entry, open_now.house)) is not None]
        if not orders:
            raise InputError("there is nothing to undo: no command whose value before is known")
        _order(context, open_now, orders, f"undo {command}".strip(), dry_run=dry_run, as_json=as_json)


def act_on_words(
    context: typer.Context, opened: OpenHouse, text: str, *, area: str, dry_run: bool, as_json: bool
) -> None:
    """`watchkeeper command TEXT`: carry out what the words order, as if they were spoken."""
    heard = Heard(area=area)
    if dry_run:
        found = opened.hearing.orders(text, heard)
        if found is None:
            raise InputError(f"{text[:80]!r} orders nothing of the devices of this box")
        _tell_dry(opened, list(found.orders), text, heard, as_json=as_json)
        return
    with closing(build_agent(context.obj, context.meta["plugins"])) as agent:
        record = agent.ask(text, heard=heard, only_orders=True)
    emit(record.to_json(), as_json=as_json, human=record.answer.text)
    raise typer.Exit(_code(record.done))


def _order(
    context: typer.Context, opened: OpenHouse, orders: Sequence[Order], words: str, *, dry_run: bool, as_json: bool
) -> None:
    if dry_run:
        _tell_dry(opened, orders, words, Heard(), as_json=as_json, typed=True)
        return
    with closing(build_agent(context.obj, context.meta["plugins"])) as agent:
        done = agent.order(orders, by=login_name(), words=words)
    for one in done:
        emit(one.to_json(), as_json=as_json, human=one.line[detect_language(words)])
    raise typer.Exit(_code(done))


def _tell_dry(
    opened: OpenHouse, orders: Sequence[Order], words: str, heard: Heard, *, as_json: bool, typed: bool = False
) -> None:
    """What would be sent, what is against it, and who would have to say yes."""
    language = detect_language(words)
    for order in orders:
        call = order.call
        if call is None or call.tool != "write_point":
            emit({"said": dict(order.said)}, as_json=as_json, human=order.said[language])
            continue
        emitter, arguments = opened.emitter, call.arguments
        refusal = emitter.refusal(arguments)
        own = typed or (order.own_words and emitter.ordered(words, heard, arguments))
        free = own and emitter.risk(arguments) == "write"
        word = say("将发出", "would be sent") if free else say("需要批准", "would wait for approval")
        word = say(f"会被拒绝:{refusal['zh']}", f"would be refused: {refusal['en']}") if refusal else word
        told = {"call": call.to_json(), "free": free, "refused": dict(refusal) if refusal else None}
        emit(told, as_json=as_json, human=f"{order.said[language]}: {word[language]}")


def _code(done: Sequence[Done]) -> int:
    """0: all that was ordered is so; 4: something waits for a person; 1: something is not done, or not known."""
    came = {one.came for one in done}
    return _WAITS if "waits" in came else 0 if came <= {"confirmed", "told", "repeated"} else _NOT_DONE


def _typed_call(opened: OpenHouse, device_id: str, point_name: str, value: str, unit: str) -> Order:
    device = opened.house.device(device_id)
    point = device.point(point_name) if device else None
    if device is None or point is None:
        raise InputError(f"{device_id[:60]} {point_name[:60]}: no such point; see: watchkeeper devices list")
    typed = _value(point, value)
    name, now = called(device), shown(point, typed)
    said = say(f"{name['zh']} → {now['zh']}", f"{name['en']} → {now['en']}")
    return Order(
        said, ToolCall("write_point", {"device": device.id, "point": point.name, "value": typed, "unit": unit})
    )


def _value(point: Point, text: str) -> Value:
    if point.kind == "bool" and text.casefold() in (*_ON, *_OFF):
        return text.casefold() in _ON
    if point.kind == "number":
        try:
            return float(text)
        except ValueError:
            raise InputError(f"{text[:40]!r} is no number; {point.name} takes one") from None
    return text


def _show(opened: OpenHouse, names: Sequence[str], *, as_json: bool) -> None:
    house = opened.house
    unknown = [name for name in names if house.device(name) is None]
    if unknown:
        raise InputError(f"{unknown[0][:60]}: no such device; see: watchkeeper devices list")
    for device in house.map.devices:
        if names and device.id not in names:
            continue
        for point in device.points:
            state, online = house.look(device, point), house.online(device)
            told = {"device": device.id, "point": point.name, "value": state.value, "at": state.at, "online": online}
            emit(told, as_json=as_json, human=state_line(device, point, state, online=online)["en"])


def _device_json(device: Device) -> dict[str, object]:
    points = [{"name": p.name, "kind": p.kind, "unit": p.unit, "writable": p.writable} for p in device.points]
    about = {"id": device.id, "names": list(device.names), "domain": device.domain, "area": device.area}
    return {**about, "driver": device.driver, "risk": device.risk, "points": points}


def _device_line(device: Device) -> str:
    settable = ", ".join(p.name for p in device.points if p.writable) or "nothing to set"
    return f"{device.id:<20} {' / '.join(device.names[:3])}  [{device.domain}] {device.area or '-'}: {settable}"
