"""The fields of a row: what a request may hold, checked by it and described from it (web/openapi.py).

A row says {name: most characters}, {name: Encoded(most characters)} for base64, or {name: (choice, choice,
...)}. A name that ends in ? may be left out, and is "" then, or the first of its choices. Every value is
text.
"""

from collections import namedtuple

from gatelodge import compat
from gatelodge.refusals import SigninError
from gatelodge.text import _
from gatelodge.web.wire import Refusal

# most: characters. choices: tuple of texts, or None where any text will do. width: bytes of a character, at
# most.
Field = namedtuple("Field", ("name", "most", "choices", "is_optional", "width"))

# Base64: nothing in it is escaped, so that a body with a file may be no larger than the file makes it.
Encoded = namedtuple("Encoded", ("most",))

UPLOADED = "application/octet-stream"
BODY_OVERHEAD = 64  # bytes around the fields
MAX_BYTES_PER_CHARACTER = 6  # \uXXXX


def fields_of(declared):
    """The Fields of a row, in the order of their names."""
    return [_field(name, declared[name]) for name in sorted(declared)]


def _field(name, kind):
    width = MAX_BYTES_PER_CHARACTER
    if isinstance(kind, Encoded):
        kind, width = kind.most, 1
    choices = None if isinstance(kind, int) else kind
    most = max([len(choice) for choice in choices]) if choices else kind
    return Field(name.rstrip("?"), most, choices, name.endswith("?"), width)


def body_limit(declared):
    """Bytes that the fields can fill at most."""
    most = [BODY_OVERHEAD + field.most * field.width for field in fields_of(declared)]
    return sum(most) + BODY_OVERHEAD


def body_reader(declared):
    """read(request) -> {name: text} of a JSON body: exactly the declared fields. Raises Refusal."""
    fields = fields_of(declared)
    names = {field.name for field in fields}

    def read(request):
        if not fields and not request.body:
            return {}
        values = _object(request)
        _fill(fields, values)
        # No order of the names: MicroPython's reader takes a number for one, and cannot compare it with text.
        if set(values) != names:
            raise Refusal(400, "Send one JSON object with %s." % (", ".join(sorted(declared)) or "no fields"))
        for field in fields:
            _check(field, values[field.name])
        return values

    return read


def query_reader(declared):
    """The same of the query of a GET. What it names beside the fields is nobody's business."""
    fields = fields_of(declared)

    def read(request):
        values = {field.name: request.args[field.name] for field in fields if field.name in request.args}
        _fill(fields, values)
        for field in fields:
            if field.name not in values:
                raise Refusal(400, "The address has to name %s." % field.name)
            if len(values[field.name]) > field.most:
                raise Refusal(400, "%s is longer than %d characters." % (field.name, field.most))
            _check(field, values[field.name])
        return values

    return read


def upload_reader(declared):
    """The same of a file that is sent as it is."""
    of_query = query_reader(declared)

    def read(request):
        _check_kind(request, UPLOADED)
        return of_query(request)

    return read


def _check_kind(request, wanted):
    kind = (request.content_type or "").split(";")[0].strip()
    if kind != wanted:
        raise Refusal(415, "Send the body as %s." % wanted)


def _object(request):
    _check_kind(request, "application/json")
    try:
        values = compat.json.loads(request.body)
    except ValueError:
        raise Refusal(400, "The body is not JSON.")
    if not isinstance(values, dict):
        raise Refusal(400, "Send one JSON object.")
    return values


def _fill(fields, values):
    """Put in what may be left out and was."""
    for field in fields:
        if field.is_optional:
            values.setdefault(field.name, field.choices[0] if field.choices else "")


def _check(field, value):
    if not isinstance(value, str):
        raise Refusal(400, "%s has to be text." % field.name)
    if field.choices and value not in field.choices:
        raise Refusal(400, "%s is one of: %s." % (field.name, ", ".join(field.choices)))
    if len(value) > field.most:
        raise SigninError(field.name, _("That is longer than %d characters.") % field.most)
