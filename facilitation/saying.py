"""What a facilitator could say next: a sentence or two for each phase, so that nobody runs a session alone.

The first sentence is the next one to say. No sentence points at a single answer, and none asks who gave it.
"""

from __future__ import annotations

from facilitation.language import _
from facilitation.now import Now
from facilitation.stages import Mode, Stage
from facilitation.tally import Reason

SMALL_ROOM = 10  # people; with fewer, everybody can guess a little


def to_say(now: Now) -> tuple[str, ...]:
    """The sentences for this moment; none while there is nothing that has to be said."""
    if now.back_at:
        return (_("We are back at %(time)s. What you have answered is safe.", time=now.back_at),)
    return _SAYINGS[now.stage](now)


def _lobby(now: Now) -> tuple[str, ...]:
    said = [
        _("There are no right or wrong answers. Nobody, me included, can see later who chose what."),
        _("Results show from %(k)s answers up. Think for yourself first; we talk afterwards.", k=now.k),
        _("Not covered: a result where everybody agrees, what is said aloud, and a neighbour’s eyes."),
    ]
    if 0 < now.joined < SMALL_ROOM:
        said.append(_("We are few, so it is easier to guess. If that worries you, “I don’t know” is an answer."))
    return tuple(said)


def _voting(now: Now) -> tuple[str, ...]:
    assert now.question is not None
    if now.question.warm_up:
        return (
            _("This one is only to try it out. It is in no result."),
            _("Tap an answer. You can change it until I close the vote."),
        )
    if now.second:
        return (
            _("We vote once more. Change your answer or keep it: nobody has to explain the first one."),
            _("Your phone says only whether you moved up, down or stayed."),
        )
    if now.question.dots:
        return (_("You have three dots. Place each on another option; you can move them until I close the vote."),)
    if now.answered and now.missing and 4 * now.missing <= now.answered:
        return (_("Is anybody still choosing? There is no hurry."),)
    said = [_("I read the question aloud. Then answer on your own, please. “I don’t know” is a good answer.")]
    if now.mode is Mode.LIVE:
        said.append(_("The chart moves in steps, so nobody can be picked out. Try not to wait for it."))
    return tuple(said)


def _closed(now: Now) -> tuple[str, ...]:
    return (
        _("Voting has closed. Turn to your neighbour: what did you have in mind?"),
        _("I show the result in a moment. Nobody needs to say what they chose."),
    )


def _revealed(now: Now) -> tuple[str, ...]:
    if now.hush:
        return (_("Too few of us answered to show a result. Let us talk this one through."),)
    if now.question and now.question.warm_up:
        return (_("Has everybody seen their answer arrive? That is all there is to it. Now the first real question."),)
    if now.question and now.question.dots:
        return (_("The dots show where to look first. We decide by talking."),)
    if now.result and now.result.second:
        return (_("This is the second vote beside the first. What has changed, and what has not?"),)
    return (_("Take a moment to look. What do you see? Not why, just what."),)


def _discussion(now: Now) -> tuple[str, ...]:
    if now.question and now.question.warm_up:
        return (_("Has everybody seen their answer arrive? Then we begin."),)
    said = [_("Two minutes in pairs, then together. The chair speaks last.")]
    reasons = now.result.reasons if now.result else ()
    if now.result and now.result.second:
        said = [_("What can we all live with? “No agreement” is an answer too.")]
    elif Reason.APART in reasons:
        said.append(_("We see this very differently, and that is useful. What might somebody see who chose otherwise?"))
        said.append(_("If it helps, we vote once more. Nobody has to explain their first answer."))
    elif Reason.DONT_KNOW in reasons:
        said.append(_("Many of us do not know. What would help us to find out, and who could tell us?"))
        said.append(_("If it helps, we vote once more. Nobody has to explain their first answer."))
    else:
        said.append(_("What can we agree on, and what is one thing to do about it?"))
    if now.desk and now.desk.next_row is None:
        said.append(_("Before we leave: who does what by when, and when do we look at it again?"))
    return tuple(said)


def _finished(now: Now) -> tuple[str, ...]:
    return (
        _("Thank you. The counts are kept, and nobody’s answer is. You get the plan within two days."),
        _("We look at the actions again in three months."),
    )


_SAYINGS = {
    Stage.LOBBY: _lobby,
    Stage.VOTING: _voting,
    Stage.CLOSED: _closed,
    Stage.REVEALED: _revealed,
    Stage.DISCUSSION: _discussion,
    Stage.FINISHED: _finished,
}
