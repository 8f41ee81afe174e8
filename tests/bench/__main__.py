"""Measure Gatelodge, print the table, write bench.json: `make bench`.

Ratios are taken in one run on one machine; absolute times are noisy. A missed target is printed, and is not
a failure: the exit status is 1 only when something could not be measured.
"""

import argparse
import sys

from host_tools.progress import Progress
from host_tools.release.places import ROOT
from tests.bench import interpreter, machine, report, table
from tests.bench.lab import Lab


def arguments(argv):
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", action="append", metavar="NAME", help="this figure or probe only (repeat)")
    parser.add_argument("--quick", action="store_true", help="fewer, shorter rounds: a glance, not a result")
    parser.add_argument("--json", default=str(ROOT / "bench.json"), metavar="FILE", help="the record")
    parser.add_argument("--list", action="store_true", help="list the figures and how each is measured")
    return parser.parse_args(argv)


def measure(probe, lab, progress):
    """(values by figure name, what else the probe saw)."""
    with progress.job(table.probe_name(probe)) as job:
        lab.tell = job.update
        told = probe.probe(lab)
        job.detail = ""
    return told, told.pop("details", {})


def measure_all(probes, lab, progress):
    """One probe that fails leaves the others standing; its sentence takes the place of its figures."""
    values, details, failures = {}, {}, {}
    for probe in probes:
        name = table.probe_name(probe)
        try:
            told, details[name] = measure(probe, lab, progress)
            values.update(told)
        except Exception as error:  # whatever it was, it is printed and makes the exit status 1
            failures[name] = f"{type(error).__name__}: {error}"
    return values, details, failures


def run(options, figures):
    probes = list(dict.fromkeys(figure.probe for figure in figures))
    micropython = interpreter.command()
    facts = machine.facts(micropython)
    with Lab(micropython, options.quick) as lab:
        values, details, failures = measure_all(probes, lab, Progress(out=sys.stderr))
    print("\n".join(report.lines(figures, values, failures, facts, report.wants_colour())))
    report.write(options.json, report.record(figures, values, details, failures, facts))
    return 1 if failures else 0


def main(argv=None):
    options = arguments(argv)
    try:
        figures = table.chosen(options.only)
    except KeyError as error:
        print(f"gatelodge: there is no figure {error}: choose one that --list shows", file=sys.stderr)
        return 2
    if options.list:
        print("\n".join(f"{one.name:<20}{one.how}" for one in figures))
        return 0
    return run(options, figures)


if __name__ == "__main__":
    sys.exit(main())
