"""A chart as SVG, in light and dark as its reader has it."""

from xml.sax.saxutils import escape

from host_tools.factory.yields.drawing import Bar, Drawing, Mark, Rule, tokens_css

SVG = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"
 role="img" aria-labelledby="title summary">
<title id="title">{title}</title>
<desc id="summary">{summary}</desc>
<style>{tokens}text {{ font-family: var(--font); font-variant-numeric: tabular-nums; }}</style>
{marks}
</svg>
"""


def render(drawing: Drawing) -> bytes:
    return SVG.format(
        width=drawing.width,
        height=drawing.height,
        title=escape(drawing.title),
        summary=escape(drawing.summary),
        tokens=tokens_css(),
        marks="\n".join(map(_mark, drawing.marks)),
    ).encode()


def _mark(mark: Mark) -> str:
    style = f'style="fill: var(--{mark.tone})"'
    if isinstance(mark, Bar):
        return (
            f'<rect x="{mark.x:g}" y="{mark.y:g}" width="{mark.width:g}" height="{mark.height:g}" {style}/>'
        )
    if isinstance(mark, Rule):
        return f'<rect x="{mark.x:g}" y="{mark.y - 0.5:g}" width="{mark.width:g}" height="1" {style}/>'
    place = f'x="{mark.x:g}" y="{mark.y:g}" font-size="{mark.size:g}" text-anchor="{mark.anchor}"'
    weight = ' font-weight="600"' if mark.is_strong else ""
    return f"<text {place}{weight} {style}>{escape(mark.text)}</text>"
