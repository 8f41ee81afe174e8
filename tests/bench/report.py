"""The bench's table for a person, and bench.json for a machine."""

import json
import os
import sys
import time

from tests.bench import table

VERDICTS = {True: "yes", False: "no", None: ""}
COLOURS = {"yes": "\033[32m", "no": "\033[31m"}
PLAIN = "\033[0m"
SHOWN_UNITS = {"x": "×", "us": "µs"}
TIGHT_UNITS = ("x",)  # written without a space


def number(value):
    """Three significant figures, thousands apart: 41800 -> 41,800."""
    if value is None:
        return "-"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def with_unit(text, unit):
    return text + ("" if unit in TIGHT_UNITS else " ") + SHOWN_UNITS.get(unit, unit)


def target(figure):
    if figure.target is None:
        return ""
    return ("≤ " if figure.better == table.LOWER else "≥ ") + with_unit(f"{figure.target:,}", figure.unit)


def row(figure, value, coloured):
    verdict = VERDICTS[table.met(figure, value)]
    share = table.of_target(figure, value)
    share = f"{100 * share:,.0f} %" if share is not None else ""
    shown = COLOURS[verdict] + verdict + PLAIN if coloured and verdict else verdict
    measured = with_unit(number(value), figure.unit)
    return f"  {figure.title:<40}{measured:>12}{target(figure):>12}{share:>12}  {shown}".rstrip()


def lines(figures, values, failures, facts, coloured=False):
    """The whole table as text. values: {figure name: number}; failures: {probe name: sentence}."""
    yield f"{facts['processors']} x {facts['processor']}, {facts['system']}"
    yield f"MicroPython {facts['micropython']}, load {facts['load_average'][0]:.1f} at the start"
    yield ""
    yield f"  {'':<40}{'measured':>12}{'target':>12}{'of target':>12}  met"
    for figure in figures:
        if table.probe_name(figure.probe) not in failures:
            yield row(figure, values.get(figure.name), coloured)
    for probe, sentence in failures.items():
        yield f"  {probe}: not measured: {sentence}"
    yield ""
    yield outcome(figures, values, failures)


def outcome(figures, values, failures):
    verdicts = [table.met(figure, values.get(figure.name)) for figure in figures]
    judged = verdicts.count(True) + verdicts.count(False)
    text = f"{verdicts.count(True)} of {judged} targets met" if judged else "No targets here"
    return text + (f", not measured: {', '.join(failures)}" if failures else "")


def wants_colour(stream=sys.stdout):
    return stream.isatty() and not os.environ.get("NO_COLOR")


def record(figures, values, details, failures, facts):
    """bench.json: each figure with its row, what each probe saw, and the machine."""
    return {
        "made_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": facts,
        "figures": {one.name: entry(one, values.get(one.name)) for one in figures},
        "details": details,
        "failures": failures,
    }


def entry(figure, value):
    told = {name: getattr(figure, name) for name in ("title", "how", "unit", "better", "target")}
    told["title"] = told["title"].strip()
    verdict = {"met": table.met(figure, value), "of_target": table.of_target(figure, value)}
    return told | {"value": value} | verdict


def write(path, told):
    """Written beside and renamed, so that a reader never meets half a file."""
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(told, file, indent=2, ensure_ascii=False)
        file.write("\n")
    os.replace(path + ".new", path)
