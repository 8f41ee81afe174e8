"""Show what a board's label looks like, or print one again for a router whose label is spoilt.

    gatelodge label --board boards/host/board.json --sample --output sample.pdf
    gatelodge label --board boards/host/board.json --sample --print
    gatelodge label GL2647000001 --board ... --factory-dir factory --print     asks for the service code
    gatelodge label --media list

A factory keeps no service code, so no label can be made again without it. Whoever still reads the code on a
scratched label can: it is asked for, not taken from the command line, and compared with its hash in the
ledger. A router whose code nobody can read is reset to factory state and provisioned again.
"""

import argparse
import getpass
import hmac
import json
import sys
from pathlib import Path

from gatelodge.contract import board, service_code
from gatelodge.contract.errors import ServiceCodeError

from host_tools import exit_codes
from host_tools.errors import ToolError
from host_tools.factory import options
from host_tools.factory.label import content, media, output, paper, printer, template
from host_tools.factory.records import UnitRecord

MOST = 500  # labels at once: 18 sheets


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("serial_number", nargs="?", default="", metavar="SERIAL", help="the router whose label is made again")
    add("--sample", action="store_true", help="make a label that no router has")
    add("--board", type=Path, metavar="FILE", help="the board.json of this kind of router")
    add("--output", type=Path, metavar="FILE", help="a .pdf, .png or .svg, for its owner's eyes only")
    add("--print", action="store_true", dest="prints", help="print it through `lp`")
    add("--printer", default="", metavar="NAME", help="which printer (default: the system's own)")
    text = "what it goes on; 'list' lists them (default: the board's)"
    add("--media", default="", metavar="NAME", help=text)
    add("--dpi", type=int, metavar="NUMBER", help="dots per inch of the printer (default: the board's)")
    add("--first", type=int, default=1, metavar="PLACE", help="the first label that is left on the sheet")
    add("--count", type=int, default=1, metavar="NUMBER", help="how many (default 1)")
    options.add_factory(parser, required=False)


def run(args: argparse.Namespace) -> int:
    if args.media == "list":
        print("\n".join(map(_row, media.MEDIA)))
        return exit_codes.OK
    _check(args)
    how = _template(args)
    label = _sample(args, how) if args.sample else _again(args, how)
    labels, medium = [label] * args.count, media.find(how.media)
    if args.output:
        # A file holds the label alone, unless a sheet's places were spoken of.
        is_sheet = args.first > 1 or args.count > 1
        pages = paper.pages(labels, medium if is_sheet else medium.alone, how.dpi, args.first)
        output.write(args.output, output.render(pages, args.output.suffix.lower(), how.dpi))
        print(f"wrote {args.output}")
    if args.prints:
        pages = paper.pages(labels, medium, how.dpi, args.first)
        job = printer.print_pdf(output.render(pages, ".pdf", how.dpi), pages[0].title, medium, args.printer)
        print(f"printed {job}")
    return exit_codes.OK


def _check(args: argparse.Namespace) -> None:
    for is_wrong, what, remedy in (
        (args.sample == bool(args.serial_number), "one label is wanted", "name a router, or --sample"),
        (not args.board, "the board is not named", "add --board boards/<name>/board.json"),
        (not args.output and not args.prints, "the label would go nowhere", "add --print, or --output FILE"),
        (args.serial_number and not args.factory_dir, "the ledger is not named", "add --factory-dir"),
        (not 1 <= args.count <= MOST, f"{args.count} labels", f"take 1 to {MOST}"),
    ):
        if is_wrong:
            raise ToolError(what, remedy, exit_codes.USAGE)


def _template(args: argparse.Namespace) -> template.Template:
    how = template.of_board(args.board)
    return template.checked("the command line", how, media=args.media or how.media, dpi=args.dpi or how.dpi)


def _sample(args: argparse.Namespace, how: template.Template) -> content.Label:
    try:
        fields = board.check(json.loads(args.board.read_text()))
    except (OSError, ValueError) as error:
        remedy = "name one of boards/*/board.json"
        raise ToolError(f"{args.board} is no board.json ({error})", remedy, exit_codes.USAGE) from error
    return content.sample(fields["model"], how)


def _again(args: argparse.Namespace, how: template.Template) -> content.Label:
    """The label of a router in the ledger, from the code on its old one. Raises ToolError."""
    authority, records = options.factory_of(args)
    entry = records.finished(args.serial_number)
    if entry is None:
        remedy = "its label comes with `gatelodge provision`"
        raise ToolError(
            f"{args.serial_number} is no finished router of this ledger", remedy, exit_codes.USAGE
        )
    code = _read_code(args.serial_number)
    if not hmac.compare_digest(authority.service_code_hash(code), entry.fields["service_code_hash"]):
        remedy = "read it on the old label; without it, reset the router to factory state and provision it"
        raise ToolError(f"that is not the service code of {args.serial_number}", remedy, exit_codes.USAGE)
    known = {name: value for name, value in entry.fields.items() if name in UnitRecord._fields}
    return content.of_unit(UnitRecord(service_code=code, **known), how)


def _read_code(serial_number: str) -> str:
    """From the terminal, unseen, or a line of the standard input."""
    asked = f"service code of {serial_number}, from its old label: "
    typed = getpass.getpass(asked) if sys.stdin.isatty() else sys.stdin.readline()
    try:
        return service_code.parse(typed.strip())
    except ServiceCodeError as error:
        raise ToolError(str(error).rstrip("."), "", exit_codes.USAGE) from None


def _row(one: media.Medium) -> str:
    return f"  {one.name:<9} {one.width:5g} x {one.height:4g} mm  {one.what}"
