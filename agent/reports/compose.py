"""From a machine and a period to a report: start reading here.

find       the machine, by its name or as a tag of the log
gather     what every plugin saw of it (`report_evidence`); what could not be looked at is kept, to be said
figure     counts, series, signs
judge      causes by the table, risk by the matrix
act        what the manuals say, as quotes to choose from
choose     the model points at quotes where several come close and puts the line at the head together, many reports
           side by side and after everybody who waits; the rules complete whatever it does not do
"""

from __future__ import annotations

import difflib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from agent.env import Env
from agent.errors import BadReply, InputError, ModelError, WatchkeeperError
from agent.messages import Reply
from agent.model.protocol import ReplyLimits, Request
from agent.plant_clock import plant_clock
from agent.plugin_host import PluginHost
from agent.reports.actions import Choice, Search, actions_of, manual_problem, topics_of
from agent.reports.alarms import AlarmFigures, alarm_figures
from agent.reports.causes import Cause, likely_causes, load_causes
from agent.reports.picking import Picks
from agent.reports.readings import SeriesFigures, series_figures, signs_of
from agent.reports.report import Report
from agent.reports.risk import RiskLevel, risk_of
from agent.reports.seen import missing_lines, seen_lines, summary_facts, watch_lines
from agent.reports.values import Evidence, Machine, Sign, Trend
from agent.reports.wording import Fact, line_of, plain_line, wording_request
from agent.times import Period
from agent.values import Language

__all__ = ["ReportModel", "ReportWriter", "wall"]

BY_RULES = "rules"
LANGUAGES: tuple[Language, ...] = ("zh", "en")


class ReportModel(Protocol):
    """What a report asks a model; `agent.model.ladder.Ladder` is one."""

    @property
    def name(self) -> str: ...

    def reply_many(self, requests: Sequence[Request], *, limits: ReplyLimits) -> Sequence[Reply | Exception]:
        """A reply for each request, or why there is none."""
        ...


@dataclass(frozen=True, slots=True)
class _Draft:
    """A report that only lacks what a model adds."""

    report: Report
    choices: tuple[Choice, ...]
    facts: tuple[Fact, ...]


class ReportWriter:
    """Writes reports. Holds no report once it is given away, so that a thousand take no more memory than one batch."""

    def __init__(
        self,
        env: Env,
        plugins: PluginHost,
        model: ReportModel | None,
        *,
        note: Callable[[str, dict[str, object]], None] = lambda kind, body: None,
    ) -> None:
        """
        :param model: None writes by rules alone.
        :param note: told what a model said and why a line of it was dropped.
        :raises SettingsError: the table of causes is wrong.
        """
        self._env = env
        self._plugins = plugins
        self._model = model
        self._note = note
        self._causes = load_causes(env.settings.reports.causes)
        self._search = Search(env, plugins)
        self._picks = Picks(env.settings.turn)

    def write(self, name: str, period: Period, languages: Sequence[Language]) -> Report:
        """One report.

        :raises InputError: no such machine, or the languages are empty.
        """
        draft = self._drafted(name, period, languages)
        return next(iter(self._chosen([draft])))

    def write_many(
        self, names: Sequence[str], period: Period, languages: Sequence[Language]
    ) -> Iterator[tuple[str, Report | WatchkeeperError]]:
        """Reports of many machines, in batches; a machine that cannot be reported on gives its error."""
        size = self._env.settings.reports.batch_reports
        for at in range(0, len(names), size):
            drafts: list[tuple[str, _Draft | WatchkeeperError]] = []
            for name in names[at : at + size]:
                try:
                    drafts.append((name, self._drafted(name, period, languages)))
                except WatchkeeperError as error:
                    drafts.append((name, error))
            written = self._chosen([draft for _, draft in drafts if isinstance(draft, _Draft)])
            reports = iter(written)
            for name, draft in drafts:
                yield name, next(reports) if isinstance(draft, _Draft) else draft

    def machine(self, name: str) -> Machine:
        """The machine of that name, or the tag of the log as one."""
        wanted = " ".join(name.split())
        if not wanted:
            raise InputError("the machine's name is empty; name one")
        known = self._plugins.report_machines(self._env)
        for machine in known:
            if wanted.casefold() in (machine.name.casefold(), *(t.casefold() for t in machine.title.values())):
                return machine
        return Machine(wanted, {"zh": wanted, "en": wanted}, tags=(wanted,))

    def _drafted(self, name: str, period: Period, languages: Sequence[Language]) -> _Draft:
        if not languages:
            raise InputError("a report needs a language; give zh, en or both")
        settings, machine = self._env.settings.reports, self.machine(name)
        evidence = self._plugins.report_evidence(machine, period, self._env)
        self._refuse_unknown(machine, evidence)
        now = plant_clock(self._env.now(), self._env.settings)
        start, end = wall(period.start, now), wall(period.end, now)
        alarms = alarm_figures(evidence.events, start, end, history_from=evidence.history_from, settings=settings)
        series = tuple(f for trend in _distinct(evidence.trends) if (f := series_figures(trend)) is not None)
        signs = [*evidence.signs, *(sign for f in series for sign in signs_of(f))]
        causes = likely_causes(self._causes, machine, alarms, signs, settings) if _something(alarms, signs) else ()
        has_log = evidence.history_from is not None
        risk = risk_of(machine, alarms, signs, settings, has_log=has_log, has_values=bool(series or evidence.spectra))
        return self._with_actions(machine, (start, end), evidence, alarms, series, signs, causes, risk, languages)

    def _with_actions(
        self,
        machine: Machine,
        span: tuple[datetime, datetime],
        evidence: Evidence,
        alarms: AlarmFigures,
        series: tuple[SeriesFigures, ...],
        signs: Sequence[Sign],
        causes: tuple[Cause, ...],
        risk: RiskLevel,
        languages: Sequence[Language],
    ) -> _Draft:
        search, failed = self._search, None
        choices: list[Choice] = []
        topics = topics_of(alarms, causes, self._env.settings.reports.shown_actions)
        try:
            if search.is_there:
                choices = search.choices(machine, topics, languages, self._env.settings.turn)
        except WatchkeeperError as error:
            failed = error
        has_log = evidence.history_from is not None
        missing = [*evidence.missing, *missing_lines(alarms, series, _distinct(evidence.trends), has_log=has_log)]
        missing += [problem] if (problem := manual_problem(search, failed)) else []
        facts = summary_facts(alarms, series, causes, risk, has_log=has_log)
        report = Report(
            machine=machine,
            plant=self._env.settings.plant.name,
            start=span[0],
            end=span[1],
            made_at=wall(self._env.now(), self._env.now()),
            languages=tuple(languages),
            summary=plain_line(facts),
            worded_by=BY_RULES,
            risk=risk,
            alarms=alarms,
            series=series[: self._env.settings.reports.shown_trends],
            spectra=evidence.spectra[: self._env.settings.reports.shown_trends],
            seen=seen_lines(alarms, series, signs, has_log=has_log),
            causes=causes,
            actions=(),
            watch=watch_lines(causes, series, alarms),
            missing=tuple(missing),
            has_log=has_log,
            chosen_by=BY_RULES,
        )
        return _Draft(report, tuple(choices), facts)

    def _refuse_unknown(self, machine: Machine, evidence: Evidence) -> None:
        """A name that nothing knows is a slip of the pen, not a quiet machine."""
        if evidence.events or evidence.trends or evidence.signs or evidence.spectra:
            return
        known = [m.name for m in self._plugins.report_machines(self._env)]
        if machine.name in known:
            return
        found = [term.value for term in self._plugins.find_terms(machine.name, self._env) if term.kind == "tag"]
        if machine.name in found:
            return
        near = difflib.get_close_matches(machine.name, known, n=3, cutoff=0.4) or known[:5]
        hint = f"; known: {', '.join(near)}" if near else "; name a machine or a tag of the log"
        why = "; ".join(line["en"] for line in evidence.missing[:2])
        raise InputError(f"{machine.name[:60]}: no such machine{hint}{f' ({why})' if why else ''}")

    def _chosen(self, drafts: Sequence[_Draft]) -> list[Report]:
        """The drafts with what the model chose and worded, all in one batch; by rules where it did not."""
        lines = [(n, language, request) for n, draft in enumerate(drafts) for language, request in self._wanted(draft)]
        picks = self._picks.requests(choice for draft in drafts for choice in draft.choices) if self._asks else []
        replies = self._replies([*picks, *(request for *_, request in lines)])
        for request, reply in zip(picks, replies, strict=False):
            self._learn(request, reply)
        said: dict[tuple[int, Language], str] = {}
        for (number, language, request), reply in zip(lines, replies[len(picks) :], strict=True):
            line = self._line(request, reply)
            said |= {(number, language): line} if line else {}
        return [
            self._finished(draft, {la: said.get((n, la), "") for la in LANGUAGES}) for n, draft in enumerate(drafts)
        ]

    @property
    def _asks(self) -> bool:
        return self._model is not None and self._model.name != BY_RULES

    def _wanted(self, draft: _Draft) -> Iterator[tuple[Language, Request]]:
        """The lines to ask for."""
        for language in draft.report.languages if self._asks else ():
            most = self._env.settings.reports.summary_tokens
            request = wording_request(draft.facts, language, max_tokens=most)
            if request is not None:
                yield language, request

    def _replies(self, requests: Sequence[Request]) -> Sequence[Reply | Exception]:
        if self._model is None or not requests:
            return []
        deadline = time.monotonic() + self._env.settings.reports.pick_seconds * max(len(requests) / 3, 1)
        try:
            return self._model.reply_many(requests, limits=ReplyLimits(max_tokens=0, deadline=deadline))
        except (ModelError, BadReply) as error:
            return [error] * len(requests)

    def _learn(self, request: Request, reply: Reply | Exception) -> None:
        text = _text(reply)
        try:
            if text is not None and self._model is not None:
                self._picks.learn(request, text, self._model.name)
        except BadReply as error:
            self._note("quotes_not_picked", {"error": str(error)})

    def _line(self, request: Request, reply: Reply | Exception) -> str | None:
        text = _text(reply)
        if text is None:
            return None
        try:
            line = line_of(request, text)
        except BadReply as error:
            self._note("line_worded", {"line": text[:500], "dropped": str(error)})
            return None
        self._note("line_worded", {"line": line, "dropped": None})
        return line

    def _finished(self, draft: _Draft, lines: Mapping[Language, str]) -> Report:
        report = draft.report
        worded = bool(self._model) and all(lines[language] for language in report.languages)
        return replace(
            report,
            actions=actions_of(draft.choices, self._picks.of),
            chosen_by=self._picks.by(draft.choices) or BY_RULES,
            summary={language: lines.get(language) or line for language, line in report.summary.items()},
            worded_by=self._model.name if self._model and worded else BY_RULES,
        )


def wall(moment: datetime, now: datetime) -> datetime:
    """A moment on the plant's clock, without an offset.

    :param now: the plant's clock.
    """
    return (moment if moment.tzinfo is None or now.tzinfo is None else moment.astimezone(now.tzinfo)).replace(
        tzinfo=None
    )


def _distinct(trends: Sequence[Trend]) -> list[Trend]:
    """Where two plugins give the same series, the one with levels; those with levels first."""
    best: dict[str, Trend] = {}
    for trend in sorted(trends, key=lambda t: not t.levels):
        best.setdefault(trend.name, trend)
    return list(best.values())


def _text(reply: Reply | Exception | None) -> str | None:
    """Of a reply that was made to its end."""
    return reply.text if isinstance(reply, Reply) and reply.stopped == "done" else None


def _something(alarms: AlarmFigures, signs: Sequence[Sign]) -> bool:
    return bool(alarms.events) or any(sign.present for sign in signs)
