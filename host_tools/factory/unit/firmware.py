"""The steps of the firmware: flash the station's bundle unless it runs already, then read every file back."""

import hashlib
import json
from collections.abc import Callable
from typing import NamedTuple

from gatelodge.contract import bundle as bundle_contract
from gatelodge.contract import provisioning

from host_tools import exit_codes
from host_tools.errors import ToolError
from host_tools.factory import steps
from host_tools.factory.engine import Result
from host_tools.factory.events import PASS, Measurement
from host_tools.factory.unit.unit import Unit
from host_tools.flash import firmware
from host_tools.flash.bundle_file import BundleFile
from host_tools.flash.session import Progress

TRIES = 3  # of a text that was damaged on the line
TELL_BYTES = 16384  # of a bundle, between two words about its progress

# Runs in the raw REPL. Says, sealed: the hash of the slot's manifest, the number of the files that it names,
# how many of them are not as it says, and the first of those.
LOOK = """import json,hashlib,binascii
def h(p):
 s=hashlib.sha256()
 with open(p,"rb") as f:
  d=f.read(4096)
  while d:
   s.update(d)
   d=f.read(4096)
 return binascii.hexlify(s.digest()).decode()
def look(d):
 try:
  m=h(d+{manifest!r})
  with open(d+{manifest!r}) as f:
   w=json.load(f)["files"]
 except (OSError,ValueError):
  return ["",0,0,""]
 bad=[]
 for p in w:
  try:
   ok=h(d+p)==w[p]["sha256"]
  except OSError:
   ok=False
  if not ok:
   bad.append(p)
 return [m,len(w),len(bad),bad[0] if bad else ""]
t=json.dumps(look({slot!r}))
print("%08x %s"%(binascii.crc32(t.encode()),t))"""


class Slot(NamedTuple):
    """What the running slot holds."""

    manifest_hash: str  # hex; "" when there is none
    files: int
    wrong: int
    first_wrong: str

    def holds(self, bundle: BundleFile) -> bool:
        return self.manifest_hash == hashlib.sha256(bundle.manifest_bytes).hexdigest() and not self.wrong


def flash(unit: Unit) -> Result:
    """Send, install and restart; nothing of it when the slot that runs holds the bundle already."""
    bundle = _bundle(unit)
    if look(unit).holds(bundle):
        return Result(PASS, f"{bundle.version} runs already")
    flashing = firmware.Flashing(unit.line, bundle, told=_told(unit))
    for step in firmware.STEPS:
        detail = step.run(flashing)
    measured = [] if flashing.sent is None else _measured(flashing.sent)
    # The restart has forgotten that the router was tested.
    return Result(PASS, detail, measurements=tuple(measured), undoes=(steps.SELF_TEST,))


def verify(unit: Unit) -> Result:
    bundle, slot = _bundle(unit), look(unit)
    measured = (
        Measurement(
            "firmware files", float(slot.files), "", float(len(bundle.manifest["files"])), None, True
        ),
        Measurement("firmware files wrong", float(slot.wrong), "", None, 0.0, not slot.wrong),
    )
    if not slot.holds(bundle):
        wrong = f"{slot.wrong} of {slot.files} files are not as sent, first {slot.first_wrong}"
        if not slot.wrong:
            wrong = "the slot that runs holds another firmware"
        raise ToolError(wrong, "set this router aside, its flash cannot be trusted", exit_codes.VERIFICATION)
    unit.learn(unit.line.call("identify", {}))
    unit.report.describe(bundle={"version": bundle.version, "manifest_sha256": slot.manifest_hash})
    return Result(PASS, f"{bundle.version}, {slot.files} files read back", measurements=measured)


def look(unit: Unit) -> Slot:
    """Have the router hash what the slot that runs holds."""
    target = unit.line.call("flash_target", {})
    root = target["path"].rpartition("/")[0]
    slot = f"{root}/slots/{target['slot']}/"
    source = LOOK.format(manifest=bundle_contract.MANIFEST, slot=slot)
    for _ in range(TRIES):
        try:
            found = json.loads(provisioning.unseal(unit.line.execute(source).strip()))
            return Slot(str(found[0]), int(found[1]), int(found[2]), str(found[3])[:128])
        except (provisioning.DamagedError, ValueError, IndexError, TypeError):
            continue
    raise ToolError(
        f"what {unit.port} says of its slot arrives damaged",
        "check the cable and the ground, then start this bench again",
        exit_codes.SERIAL_PORT,
    )


def _bundle(unit: Unit) -> BundleFile:
    if unit.means.bundle is None:
        raise RuntimeError("a plan without a bundle has no such step")
    return unit.means.bundle


def _told(unit: Unit) -> Callable[[Progress], None]:
    last = -TELL_BYTES

    def told(progress: Progress) -> None:
        nonlocal last
        if progress.done - last >= TELL_BYTES or progress.done == progress.total != last:
            last = progress.done
            detail = f"{progress.done / 1000:.0f} of {progress.total / 1000:.0f} KB"
            unit.progress(steps.FLASH, progress.done, progress.total, "bytes", detail)

    return told


def _measured(sent: Progress) -> list[Measurement]:
    figures = (("bundle", sent.total), ("bundle on the line", sent.wire), ("resumed at", sent.resumed_at))
    return [Measurement(name, float(value), "bytes", None, None, True) for name, value in figures]
