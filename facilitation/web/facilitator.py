"""The facilitator: home, set-up, console, results."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session

from facilitation import continuing, editions, minutes, museum, report, store, undoing, workshop
from facilitation import now as reader
from facilitation.errors import Refused, Stale
from facilitation.exports import said
from facilitation.language import _
from facilitation.live import fragment
from facilitation.now import Audience, Now
from facilitation.plan import read_date
from facilitation.stages import Move, Stage
from facilitation.store import Kind, Workshop, db
from facilitation.web import a_number, access, handed, house, perform, see, today, wants_fragment

facilitator = Blueprint("facilitator", __name__)


# --- Home ------------------------------------------------------------------------------------------------------------


@facilitator.get("/enter/<token>")
def enter(token: str) -> Response:
    """Exchange the one-time link for the cookie. A browser that holds the cookie already keeps its link unused.

    `open` is the join code of a session whose console comes next, instead of the list of all sessions.
    """
    found = store.by_code(db.session(), request.args.get("open", ""))
    if access.at_home():
        return _opened(found) if found else see(url_for(".home"))
    secret = perform(lambda session: workshop.redeem_link(session, token))
    page = _opened(found) if found else make_response(redirect(url_for(".home"), 303))
    return access.give(page, "home", secret)


@facilitator.get("/home")
def home() -> Response:
    """All sessions, and the way to a new one."""
    access.demand_home()
    return _home({})


@facilitator.post("/sessions")
def create() -> Response:
    """Set up a session: it gets its code at once, and opens on its set-up page."""
    access.demand_home()
    form = request.form
    try:
        held_on = read_date(form.get("held_on", ""))
        shipped = house().framework

        def job(session: Session) -> tuple[int, str, str]:
            framework = editions.find(session, shipped, form.get("pack", editions.name_of(shipped)))
            if framework is None:
                raise Refused(_("That question pack is not there any more. Choose another."))
            made = workshop.create(session, framework, form.get("title", ""), form.get("museum", ""), held_on)
            return made.id, made.code, workshop.grant(session, "facilitator", made.id)

        workshop_id, code, token = perform(job)
    except Refused as refusal:
        return _home(form, refusal.sentence, refusal.status)
    return access.give(see(url_for(".setup", code=code)), f"f_{workshop_id}", token)


def _home(form: Mapping[str, str], problem: str = "", status: int = 200) -> Response:
    session = db.session()
    page = render_template(
        "facilitator/home.html",
        workshops=store.all_workshops(session),
        rehearsals=store.of_kind(session, Kind.REHEARSAL),
        answers=store.answers_by_workshop(session),
        packs=[(editions.name_of(made), made) for made in editions.listed(session, house().framework)],
        today=today(),
        form=form,
        problem=problem,
    )
    return make_response(page, status)


@facilitator.post("/sessions/<code>/open")
def open_console(code: str) -> Response:
    """Give this browser the console of a session; where it leads depends on how far the session has come."""
    return _opened(access.from_home(code))


def _opened(found: Workshop) -> Response:
    """The console of a session for somebody who holds the whole program; its set-up, while there is no agenda."""
    workshop_id, code = found.id, found.code
    lobby_without_agenda = found.stage == Stage.LOBBY and not found.agenda
    page = see(url_for(".setup" if lobby_without_agenda else ".console", code=code))
    if access.holds(found, "facilitator"):
        return page
    token = perform(lambda session: workshop.grant(session, "facilitator", workshop_id))
    return access.give(page, f"f_{workshop_id}", token)


@facilitator.get("/sessions/<code>/next")
def ask_next(code: str) -> Response:
    """Ask what the session is called that continues this one, and say what it begins with."""
    return _next(access.from_home(code), {})


@facilitator.post("/sessions/<code>/next")
def begin_next(code: str) -> Response:
    """Continue an ended session: its agenda, its settings, and its actions to look back on."""
    found, form, shipped = access.from_home(code), request.form, house().framework
    earlier_id, framework = found.id, editions.of(db.session(), shipped, found)
    if (wanted := editions.find(db.session(), shipped, form.get("pack", ""))) and wanted.key == framework.key:
        framework = wanted
    try:
        held_on = read_date(form.get("held_on", ""))

        def job(session: Session) -> tuple[int, str, str]:
            made = continuing.continue_from(session, framework, earlier_id, form.get("title", ""), held_on)
            return made.id, made.code, workshop.grant(session, "facilitator", made.id)

        workshop_id, new_code, token = perform(job)
    except Refused as refusal:
        return _next(access.from_home(code), form, refusal.sentence, refusal.status)
    return access.give(see(url_for(".console", code=new_code)), f"f_{workshop_id}", token)


def _next(found: Workshop, form: Mapping[str, str], problem: str = "", status: int = 200) -> Response:
    actions = museum.still_open(museum.to_do(db.session(), [found]))
    page = render_template(
        "facilitator/next.html",
        workshop=found,
        actions=actions,
        packs=[
            (editions.name_of(made), made)
            for made in editions.listed(db.session(), house().framework)
            if made.key == found.framework
        ],
        today=today(),
        form=form,
        problem=problem,
    )
    return make_response(page, status)


@facilitator.get("/sessions/<code>/delete")
def ask_delete(code: str) -> str:
    """Ask before deleting, and say what would go."""
    found = access.from_home(code)
    goes = store.contents(db.session(), found.id)
    following, looking = continuing.later_of(db.session(), found)
    return render_template("facilitator/delete.html", workshop=found, goes=goes, following=following, looking=looking)


@facilitator.post("/sessions/<code>/delete")
def delete(code: str) -> str:
    """Delete a session, really, and say what went: said once, because nothing of it is kept."""
    found, keys = access.from_home(code), house().keys
    workshop_id, title = found.id, found.title
    gone = perform(lambda session: workshop.delete(session, keys, workshop_id))
    house().live.forget(workshop_id)
    return render_template("facilitator/deleted.html", title=title, gone=gone)


# --- Set-up ----------------------------------------------------------------------------------------------------------


@facilitator.get("/f/<code>/setup")
def setup(code: str) -> str:
    """What the session is called, how results are shown, and its agenda."""
    return _setup(access.facilitated(code))


@facilitator.post("/f/<code>/setup")
def change_details(code: str) -> Response:
    """Save title, museum, date, k, result mode and Wi-Fi."""
    form = request.form

    def job(session: Session, workshop_id: int) -> None:
        workshop.change_details(
            session,
            workshop_id,
            title=form.get("title", ""),
            museum=form.get("museum", ""),
            held_on=read_date(form.get("held_on", "")),
            k=a_number(form.get("k")),
            mode=form.get("mode", "live"),
            roles=form.get("roles") == "on",
            wifi=(form.get("wifi_name", ""), form.get("wifi_password", "")),
            screen_language=form.get("screen_language", ""),
        )

    return _set_up(code, job)


@facilitator.post("/f/<code>/agenda")
def add_questions(code: str) -> Response:
    """Put questions on the agenda: `key` (repeated) from the framework, an own one, or the warm-up."""
    form = request.form
    framework = editions.of(db.session(), house().framework, access.facilitated(code))
    keys = set(form.getlist("key"))
    chosen = [
        (hallmark, question)
        for hallmark in framework.hallmarks
        for question in hallmark.questions
        if question.key in keys
    ]

    def job(session: Session, workshop_id: int) -> None:
        if "warm-up" in form:
            workshop.add_warm_up(session, workshop_id)
        elif "own" in form:
            own = (form.get("text", ""), form.get("short", ""), form.get("prompt", ""), form.get("scale", ""))
            workshop.add_own_question(session, workshop_id, framework, *own)
        elif chosen:
            workshop.add_questions(session, workshop_id, chosen, framework)
        else:
            raise Refused(_("Choose at least one question."))

    return _set_up(code, job, ".console" if form.get("from") == "console" else ".setup")


@facilitator.post("/f/<code>/agenda/<int:agenda_id>")
def change_question(code: str, agenda_id: int) -> Response:
    """Move a question up or down, drop it, edit its prompt, plan its minutes or choose how its results are shown."""
    want, value = request.form.get("want", ""), request.form.get("value", "")
    back = ".console" if want == "mode" else ".setup"
    return _set_up(code, lambda session, id: workshop.change_question(session, id, agenda_id, want, value), back)


# --- Console ---------------------------------------------------------------------------------------------------------


@facilitator.get("/f/<code>")
def console(code: str) -> str:
    """Run sheet, question, room and the one big button."""
    return render_template("facilitator/page.html", now=_now(access.facilitated(code)))


@facilitator.get("/f/<code>/now")
def present(code: str) -> Response:
    """The fragment that a push would bring."""
    return make_response(fragment(_now(access.facilitated(code))))


@facilitator.post("/f/<code>/move")
def move(code: str) -> Response:
    """Move the session on. A page that was out of date gets the fresh one, and its move is not carried out."""
    found = access.facilitated(code)
    workshop_id, form = found.id, request.form
    if form.get("move") not in set(Move):
        raise Refused(_("That move is not known."))
    wanted, version, agenda_id = Move(form["move"]), a_number(form.get("version")), a_number(form.get("agenda")) or None
    keys, at = house().keys, house().rooms.clock()
    try:
        perform(lambda session: workshop.make_move(session, keys, workshop_id, wanted, version, agenda_id, at))
    except Stale as stale:
        return desk(code, stale.sentence, stale.status)
    house().live.moved(workshop_id)
    if wanted is Move.FINISH:
        return see(url_for(".console", code=code))
    return desk(code)


@facilitator.post("/f/<code>/show")
def show(code: str) -> Response:
    """Change what lies over the stage on the shared screen: overlay, theme, zoom, prompt, door, timer. A break, whose
    value is its minutes or nothing to end it, is told to phones too."""
    workshop_id = access.facilitated(code).id
    want, value, at = request.form.get("want", ""), request.form.get("value", ""), house().rooms.clock()
    if want == "break":
        perform(
            lambda session: (
                workshop.take_break(session, workshop_id, a_number(value), at)
                if value
                else workshop.end_break(session, workshop_id, at)
            )
        )
        house().live.moved(workshop_id)
        return desk(code)
    if want == "timer":
        perform(lambda session: workshop.set_timer(session, workshop_id, at))
    else:
        perform(lambda session: workshop.show(session, workshop_id, want, value))
    house().live.changed(workshop_id)
    return desk(code)


@facilitator.post("/f/<code>/undo")
def undo(code: str) -> Response:
    """Put back what was removed last; `from` says on which page."""
    back = ".setup" if request.form.get("from") == "setup" else ".console"
    return _set_up(code, undoing.put_back, back)


@facilitator.get("/f/<code>/end")
def ask_end(code: str) -> str:
    """Ask before ending a session early."""
    return render_template("facilitator/end.html", now=_now(access.facilitated(code)))


@facilitator.get("/f/<code>/screen")
def open_screen(code: str) -> Response:
    """Give this browser the shared screen, to be dragged to the projector."""
    found = access.facilitated(code)
    workshop_id = found.id
    if access.holds(found, "screen"):
        return see(url_for("screen.page", code=code))
    token = perform(lambda session: workshop.grant(session, "screen", workshop_id))
    return access.give(see(url_for("screen.page", code=code)), f"s_{workshop_id}", token)


# --- Other devices ---------------------------------------------------------------------------------------------------


@facilitator.get("/f/<code>/devices")
def devices(code: str) -> str:
    """How many browsers hold the console and the shared screen, the ways to add one, and to take it from the rest."""
    return _devices(code)


@facilitator.post("/f/<code>/devices")
def offer(code: str) -> str:
    """Show a link that another device exchanges for a console or a shared screen of its own; on this page only."""
    workshop_id, role = access.facilitated(code).id, request.form.get("role", "")
    token = perform(lambda session: workshop.offer(session, workshop_id, role))
    return _devices(code, role, token)


@facilitator.post("/f/<code>/devices/revoke")
def revoke(code: str) -> Response:
    """Take console and shared screen from every other browser, now."""
    found = access.facilitated(code)
    workshop_id = found.id
    mine = [access.secret_of(audience, found) for audience in (Audience.FACILITATOR, Audience.SCREEN)]
    perform(lambda session: workshop.revoke_others(session, workshop_id, mine))
    house().live.drop_revoked()
    return see(url_for(".devices", code=code))


@facilitator.get("/pair/<token>")
def ask_pair(token: str) -> Response:
    """Ask before a device is added: what only looks at a scanned address must not use it up."""
    role = workshop.offered(db.session(), token)
    return make_response(render_template("facilitator/pair.html", role=role, token=token), 200 if role else 404)


@facilitator.post("/pair/<token>")
def pair(token: str) -> Response:
    """Give this browser the console or the shared screen that the link offers."""
    people = a_number(request.form.get("people"), 2)
    workshop_id, role, secret = perform(lambda session: workshop.take_up(session, token, people))
    found = db.session.get_one(Workshop, workshop_id)
    if role == "handed":
        house().live.changed(workshop_id)
        response = access.give(see(url_for("participant.page", code=found.code)), f"h_{workshop_id}", secret)
        return handed.new_person(response, workshop_id, found.key or b"")
    page = url_for("screen.page" if role == "screen" else ".console", code=found.code)
    return access.give(see(page), f"{role[0]}_{workshop_id}", secret)


# --- Results ---------------------------------------------------------------------------------------------------------


@facilitator.get("/f/<code>/report")
def report_page(code: str) -> str:
    """The report, to be read, changed while memory is fresh, and printed."""
    found = access.facilitated(code)
    made = report.make(db.session(), found, house().framework)
    return render_template(
        "facilitator/report.html",
        report=made,
        said=said,
        versions=store.draft_versions(db.session(), found.id),
        plates={answer.key: answer.plate for answer in made.answers},
    )


# --- Shared by the routes above --------------------------------------------------------------------------------------


def _now(found: Workshop) -> Now:
    return reader.look(db.session(), house().rooms, found, Audience.FACILITATOR)


def desk(code: str, problem: str = "", status: int = 200) -> Response:
    """The console after a change: its fragment for htmx, with what went wrong beside it; otherwise the page."""
    if not wants_fragment():
        if not problem:
            return see(url_for(".console", code=code))
        return make_response(
            render_template("facilitator/page.html", now=_now(access.facilitated(code)), problem=problem), status
        )
    html = fragment(_now(access.facilitated(code)))
    return make_response(html + render_template("parts/notice_beside.html", sentence=problem), status)


def _devices(code: str, role: str = "", token: str = "") -> str:
    found = access.facilitated(code)
    return render_template(
        "facilitator/devices.html",
        workshop=found,
        holders=store.holders(db.session(), found.id),
        role=role,
        token=token,
        minutes=workshop.PAIRING_MINUTES,
    )


def _set_up(code: str, job: Callable[[Session, int], Any], back: str = ".setup") -> Response:
    """Run one change of the set-up and show the page again; a refusal stands on it, and nothing typed is lost."""
    found = access.facilitated(code)
    workshop_id, version, live = found.id, found.version, house().live
    perform(lambda session: job(session, workshop_id))
    if access.facilitated(code).version != version:
        live.moved(workshop_id)  # phones are told too
    else:
        live.forget(workshop_id)
        live.changed(workshop_id)
    if not wants_fragment():
        return see(url_for(back, code=code))
    found = access.facilitated(code)
    return make_response(fragment(_now(found)) if back == ".console" else _setup(found, "facilitator/_setup.html"))


def _setup(found: Workshop, template: str = "facilitator/setup.html") -> str:
    on_agenda = {item.key for item in found.agenda}
    opened = set(store.rounds_of(db.session(), found.id))
    questions = minutes.planned(found.agenda) if found.agenda else 6 * minutes.A_QUESTION  # of what is suggested
    return render_template(
        template,
        workshop=found,
        framework=editions.of(db.session(), house().framework, found),
        on_agenda=on_agenda,
        opened=opened,
        minutes=questions,
        meeting=minutes.meeting(questions),
    )
