"""Question packs: import, look, export, edit into a new edition. For whoever holds the whole program."""

from __future__ import annotations

from flask import Blueprint, Response, abort, make_response, render_template, request, url_for
from sqlalchemy.orm import Session

from facilitation import editions, packs
from facilitation import language as languages
from facilitation.errors import Refused
from facilitation.hallmarks import Framework
from facilitation.language import _
from facilitation.packs import BadPack, editing
from facilitation.store import db
from facilitation.web import access, download, house, perform, see

question_packs = Blueprint("packs", __name__, url_prefix="/packs")


@question_packs.get("")
def all_packs() -> Response:
    """Every edition there is, how to write one, and where to load it."""
    access.demand_home()
    return _all_packs()


@question_packs.post("")
def load() -> Response:
    """Import a file. With a fault in it nothing is imported, and every fault is named."""
    access.demand_home()
    file = request.files.get("file")
    if file is None or not file.filename:
        return _all_packs(_("Choose a file first."))
    content, name = file.read(), file.filename[:80]
    try:
        return see(_address(_add(house().aside(lambda: packs.read(content, name)))))
    except Refused as refusal:
        return _all_packs(refusal.sentence, refusal.faults if isinstance(refusal, BadPack) else ())


@question_packs.get("/template.<kind>")
def template(kind: str) -> Response:
    """A small pack to write one’s own over."""
    access.demand_home()
    if kind not in ("csv", "xlsx"):
        abort(404)
    return download(
        packs.template(house().framework.scales, kind), packs.KINDS[kind].mimetype, f"question-pack-template.{kind}"
    )


@question_packs.get("/<pack>")
def one_pack(pack: str) -> Response:
    """An edition: its questions, to read and to change into a new edition."""
    return _one_pack(_found(pack))


@question_packs.post("/<pack>")
def new_edition(pack: str) -> Response:
    """Keep what the form says as a new edition; the one it was made from stays."""
    found = _found(pack)
    try:
        return see(_address(_add(editing.edited(found, request.form))))
    except Refused as refusal:
        return _one_pack(found, refusal.sentence, refusal.faults if isinstance(refusal, BadPack) else ())


@question_packs.get("/<pack>/file.<kind>")
def file(pack: str, kind: str) -> Response:
    """An edition as a file, which can be loaded again."""
    found = _found(pack)
    if kind not in packs.KINDS:
        abort(404)
    return download(house().aside(lambda: packs.write(found, kind)), packs.KINDS[kind].mimetype, f"{pack}.{kind}")


@question_packs.get("/<pack>/delete")
def ask_delete(pack: str) -> Response:
    """Ask before deleting an edition; one that is needed says why it stays."""
    found = _found(pack)
    try:
        editions.must_be_free(db.session(), house().framework, editions.name_of(found))
    except Refused as refusal:
        return _one_pack(found, refusal.sentence)
    return make_response(render_template("facilitator/pack_delete.html", pack=found, address=pack))


@question_packs.post("/<pack>/delete")
def delete(pack: str) -> Response:
    """Delete an edition that no session was run with, and say that it is gone."""
    found, shipped = _found(pack), house().framework
    try:
        perform(lambda session: editions.forget(session, shipped, editions.name_of(found)))
    except Refused as refusal:
        return _one_pack(found, refusal.sentence)
    return make_response(render_template("facilitator/pack_delete.html", pack=found, gone=True))


def _found(pack: str) -> Framework:
    access.demand_home()
    found = editions.at(db.session(), house().framework, pack)
    if found is None:
        abort(404)
    return found


def _add(framework: Framework) -> Framework:
    shipped = house().framework

    def job(session: Session) -> None:
        editions.add(session, shipped, framework)

    perform(job)
    return framework


def _address(framework: Framework) -> str:
    return url_for(".one_pack", pack=editions.address_of(framework.key, framework.edition))


def _all_packs(problem: str = "", faults: tuple[str, ...] = ()) -> Response:
    session, shipped = db.session(), house().framework
    page = render_template(
        "facilitator/packs.html",
        editions=[
            (made, editions.address_of(made.key, made.edition), editions.name_of(made))
            for made in editions.listed(session, shipped)
        ],
        used=editions.used(session),
        problem=problem,
        faults=faults,
    )
    return make_response(page, 422 if problem else 200)


def _one_pack(framework: Framework, problem: str = "", faults: tuple[str, ...] = ()) -> Response:
    session, shipped = db.session(), house().framework
    page = render_template(
        "facilitator/pack.html",
        pack=framework,
        address=editions.address_of(framework.key, framework.edition),
        kinds=packs.KINDS,
        sessions=editions.used(session).get(editions.name_of(framework), 0),
        shipped=editions.name_of(shipped) == editions.name_of(framework),
        languages=sorted(_others(framework)),
        also=_also(framework),
        next_edition=editions.newest_name(framework, editions.listed(session, shipped)),
        form=request.form,
        problem=problem,
        faults=faults,
    )
    return make_response(page, 422 if problem else 200)


def _others(framework: Framework) -> set[str]:
    """The languages beside English that the program speaks, or the pack."""
    written = {language for question in framework.questions for language in question.text}
    return {*languages.offered(), *written} - {languages.SOURCE}


def _also(framework: Framework) -> str:
    """The language that is written beside the English; "" for none."""
    wanted = request.args.get("also", "")
    return wanted if wanted in _others(framework) else ""
