"""Asks axe-core what is wrong with the page that a tab shows, and follows the keyboard's focus through it.

axe-core (MPL-2.0) comes inside the package axe-playwright-python, for these tests only. Its script is
evaluated by the browser's debugger, which no policy of the page stops.
"""

from importlib import resources

AXE = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SMALLEST = {"width": 320, "height": 640}
PHONE = {"width": 390, "height": 844}
WIDE = {"width": 1280, "height": 800}
LOOKS = [(size, scheme) for size in (PHONE, WIDE) for scheme in ("light", "dark")]
MOST_STOPS = 80  # of the Tab key on one page

# Motion would be caught half-way; each page that is loaded anew has no axe yet.
QUIET = {"reduced_motion": "reduce", "ignore_https_errors": True, "viewport": SMALLEST}
IS_THERE = "typeof axe === 'object'"

RUN = """async (tags) => {
  const found = await axe.run(document, {runOnly: {type: "tag", values: tags}, resultTypes: ["violations"]});
  return found.violations.flatMap((rule) => rule.nodes.map((node) =>
    `${rule.id}: ${node.target.join(" ")}: ${node.failureSummary.split("\\n").slice(1).join(";").trim()}`));
}"""

SPILL = """() => ["html", "dialog[open]"].flatMap((name) => [...document.querySelectorAll(name)]
  .filter((it) => it.scrollWidth > it.clientWidth)
  .map((it) => `${name} is ${it.scrollWidth} px wide where there are ${it.clientWidth}`))"""

# Words that run into the margin of what they stand in: nothing scrolls by that, and it looks broken.
CROWDED = """() => [...document.querySelectorAll(".card, .codes, .note, dialog[open]")].flatMap((box) => {
  const texts = document.createTreeWalker(box, NodeFilter.SHOW_TEXT), range = new Range(), found = [];
  const edge = box.getBoundingClientRect().right - parseFloat(getComputedStyle(box).paddingRight);
  for (const it of box.querySelectorAll("button, input, select"))
    if (it.getBoundingClientRect().right > edge + 1) found.push(`${it.outerHTML} runs into the margin`);
  while (texts.nextNode()) {
    const at = texts.currentNode, holder = at.parentElement;
    if (!at.data.trim() || !holder.checkVisibility() || holder.closest("thead, svg, .unseen")) continue;
    range.selectNodeContents(at);
    if (range.getBoundingClientRect().right > edge + 1) found.push(`${at.data.trim()} runs into the margin`);
  }
  return found;
})"""

# Where the focus is: the name that a person would call it by, and whether its ring is seen, cut off nowhere.
FOCUS = """() => {
  const it = document.activeElement;
  (window.passed ??= new Set()).add(it);
  if (it === document.body) return {name: "", seen: true};
  const style = getComputedStyle(it), box = it.getBoundingClientRect(), line = parseFloat(style.outlineWidth);
  const out = parseFloat(style.outlineOffset) + line - 1;
  const within = (place) => box.left - out >= place.left && box.right + out <= place.right
    && box.top - out >= place.top && box.bottom + out <= place.bottom;
  let seen = style.outlineStyle !== "none" && line >= 2 && box.width > 0;
  seen &&= box.bottom > 0 && box.top < innerHeight && box.left >= 0 && box.right <= innerWidth;
  for (let around = it.parentElement; around !== document.body; around = around.parentElement)
    if (getComputedStyle(around).overflowX !== "visible") seen &&= within(around.getBoundingClientRect());
  const label = it.labels && it.labels.length ? it.labels[0].innerText : it.innerText;
  return {name: (it.getAttribute("aria-label") || label || "").trim(), seen};
}"""

MISSED = """() => [...document.querySelectorAll("a[href], button, input, select, summary")]
  .filter((it) => it.checkVisibility() && !it.disabled && it.tabIndex >= 0 && !window.passed.has(it))
  .map((it) => it.outerHTML)"""


def faults(tab):
    """What axe finds in both colour schemes, on a phone and on a wide screen, and what spills at 320 px."""
    if not tab.evaluate(IS_THERE):
        tab.evaluate(AXE)
    found = []
    for size, scheme in LOOKS:
        tab.set_viewport_size(size)
        tab.emulate_media(color_scheme=scheme)
        found += [f"{size['width']} px, {scheme}: {fault}" for fault in tab.evaluate(RUN, RULES)]
    tab.set_viewport_size(SMALLEST)
    return found + tab.evaluate(SPILL) + tab.evaluate(CROWDED)


def tab_to(tab, name):
    """Press Tab until what is called so has the focus; wherever the focus goes, it has to be seen."""
    for _ in range(MOST_STOPS):
        tab.keyboard.press("Tab")
        focus = tab.evaluate(FOCUS)
        assert focus["seen"], f"the focus is not seen at {focus['name']!r}"
        if name in focus["name"]:
            return
    raise AssertionError(f"Tab does not lead to {name!r}")


def missed(tab):
    """What can be pressed or filled in on the page, and is not reached by Tab from its start."""
    for _ in range(MOST_STOPS):
        tab.keyboard.press("Tab")
        focus = tab.evaluate(FOCUS)
        assert focus["seen"], f"the focus is not seen at {focus['name']!r}"
        if not focus["name"] and tab.evaluate("document.activeElement === document.body"):
            break
    return tab.evaluate(MISSED)
