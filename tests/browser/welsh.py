"""An edition of the framework in which the questions that tests look at have Welsh beside their English.

The program comes without: a translator is awaited. What stands here is a draft as long as a real one would be.
"""

from __future__ import annotations

from facilitation import editions, hallmarks
from tests.browser.program import ROOT, Visitor

SHIPPED = hallmarks.load(ROOT / "data" / "hallmarks.json")
PACK = f"/packs/{editions.address_of(SHIPPED.key, SHIPPED.edition)}"
_EDITION = "with Welsh"
_WORDS = {
    "h-tackling-inequality-title": "Mynd i’r afael ag anghydraddoldeb",
    "q-tackling-inequality-04-text": "I ba raddau yr ydym yn datblygu ac yn deall ein casgliadau, yn nodi’r "
    "safbwyntiau a’r hanesion sydd ar goll ac yn eu defnyddio i annog trafod a dadlau?",
    "q-tackling-inequality-04-short": "Casgliadau a hanesion coll",
    "q-tackling-inequality-04-prompt": "Pa hanesion y mae ein casgliad yn eu gadael allan? Ble rydym wedi agor "
    "trafodaeth, a ble rydym yn osgoi un? A fyddai deall, bylchau a thrafod bob un yn cael yr un ateb?",
    "q-tackling-inequality-06-text": "Pa mor dda yr ydym yn cydnabod bod amrywiaeth yn hanfodol i lwyddiant "
    "ein busnes?",
    "q-tackling-inequality-06-short": "Amrywiaeth a’n llwyddiant",
    "q-tackling-inequality-06-prompt": "Beth allem ei wneud, neu bwy allem eu cyrraedd, pe bai ein tîm a’n "
    "cynulleidfaoedd yn fwy cymysg nag y maent yn awr?",
}


def welsh_pack(facilitator: Visitor) -> str:
    """The name of that edition for a new session; it is made when it is first asked for."""
    name = f"{SHIPPED.key}:{_EDITION}"
    if f'value="{name}"' not in facilitator.get("/home"):
        words = {f"{field}:cy": words for field, words in _WORDS.items()}
        facilitator.post(PACK, edition=_EDITION, also="cy", **words)
    return name
