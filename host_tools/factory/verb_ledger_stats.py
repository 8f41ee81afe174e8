"""Print how well the line works: routers per hour, the first-pass rate, and which steps fail.

    gatelodge ledger stats --factory-dir factory --since 7d
    gatelodge ledger stats --factory-dir factory --chart yield.svg      or yield.png

Hours and days are of this computer's zone. A long time is shown in days or weeks instead of hours.
"""

import argparse
import datetime
import json
import time
from pathlib import Path

from host_tools import exit_codes
from host_tools.errors import ToolError
from host_tools.factory import options
from host_tools.factory.files import write_durably
from host_tools.factory.since import Since
from host_tools.factory.yields import chart, png, svg
from host_tools.factory.yields.figures import Figures, count
from host_tools.factory.yields.table import table

WRITERS = {".svg": svg.render, ".png": png.render}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    options.add_existing_ledger(parser)
    add = parser.add_argument
    add("--since", metavar="WHEN", help="2026-11-27, 2026-11-27T08:30, 24h, 7d, or '#120' for an entry")
    add("--chart", type=Path, metavar="FILE", help="also draw it, as .svg or .png")
    add("--json", action="store_true", help="print the figures as one JSON object")


def run(args: argparse.Namespace) -> int:
    if args.chart and args.chart.suffix.lower() not in WRITERS:
        remedy = "give it a name that ends in .svg or .png"
        raise ToolError(f"{args.chart} is no chart", remedy, exit_codes.USAGE)
    ledger, since = options.existing_ledger_of(args), Since.parse(args.since, time.time())
    zone_s = local_zone_s()
    figures = count(ledger.walk(), since, zone_s)
    if args.chart:
        render = WRITERS[args.chart.suffix.lower()]
        with options.writing(args.chart):
            write_durably(args.chart, render(chart.drawing(figures, zone_s)), 0o644)
    print(as_json(figures) if args.json else "\n".join(table(figures, zone_s)))
    return exit_codes.OK


def local_zone_s() -> int:
    """As it is today: a change to summer time does not move the hours of the winter."""
    offset = datetime.datetime.now().astimezone().utcoffset()
    return int(offset.total_seconds()) if offset else 0


def as_json(figures: Figures) -> str:
    fields = figures._asdict()
    fields["periods"] = [period._asdict() for period in figures.periods]
    fields["steps"] = [step._asdict() for step in figures.steps]
    fields["best_hour"] = figures.best_hour and figures.best_hour._asdict()
    fields.update(per_hour=figures.per_hour, first_pass_rate=figures.first_pass_rate)
    return json.dumps(fields, sort_keys=True)
