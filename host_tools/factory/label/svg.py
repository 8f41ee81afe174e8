"""A drawing as SVG. Texts are outlines, so that they look the same where the typeface is not installed."""

from html import escape

from host_tools.factory.label.drawing import Drawing, Line, Mark, Modules, Text, runs
from host_tools.factory.label.typeface import face

FRAME = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}"
 width="{width:g}mm" height="{height:g}mm">
<title>{title}</title>
<style>.qr{{shape-rendering:crispEdges}}.line{{fill:none;stroke:#000;stroke-linecap:round;stroke-linejoin:round}}</style>
<rect width="{width:g}" height="{height:g}" fill="#fff"/>
{marks}
</svg>
"""
TEXT = '<path role="img" aria-label="{text}" d="{steps}"/>'
MODULES = '<path class="qr" transform="translate({x:.4f} {y:.4f}) scale({module:.5f})" d="{steps}"/>'
LINE = '<path class="line" stroke-width="{width:.3f}" d="{steps}"/>'


def svg(drawing: Drawing) -> str:
    return FRAME.format(
        width=drawing.width,
        height=drawing.height,
        title=escape(drawing.title),
        marks="\n".join(map(_element, drawing.marks)),
    )


def _element(mark: Mark) -> str:
    if isinstance(mark, Text):
        steps = face(mark.face).outline(mark.text, mark.x, mark.y, mark.size)
        return TEXT.format(text=escape(mark.text), steps=steps)
    if isinstance(mark, Modules):
        steps = "".join(f"M{x} {y}h{length}v1h-{length}z" for x, y, length in runs(mark.rows))
        return MODULES.format(x=mark.x, y=mark.y, module=mark.module, steps=steps)
    return LINE.format(steps=_steps(mark), width=mark.width)


def _steps(line: Line) -> str:
    return "M" + "L".join(f"{x:.3f} {y:.3f}" for x, y in line.points)
