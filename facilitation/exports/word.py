"""What the two Word documents share: house styles, tables that repeat their header, a footer that counts pages.

Everything is a real style, so that a screen reader and a person who edits find headings, tables and alternative texts
where Word has them. No merged cells. Arial: it is there on every system, and nobody has to install anything.

python-docx keeps styles, pictures and the package; the body is written as XML and parsed once, because it looks every
style up anew for every cell, which made a session of 54 questions take ten seconds.
"""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from collections.abc import Iterable, Sequence
from xml.sax.saxutils import escape, quoteattr

import docx
from docx.document import Document
from docx.enum.section import WD_ORIENT
from docx.enum.style import WD_STYLE_TYPE
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.oxml.shape import CT_Inline
from docx.shared import Mm, Pt, RGBColor
from docx.styles.style import ParagraphStyle

from facilitation.exports import pictures, said
from facilitation.language import _, current, tag
from facilitation.report import Report

_INK, _SOFT = RGBColor(0x14, 0x22, 0x2B), RGBColor(0x44, 0x53, 0x5C)
_RULE, _EDGE = "C6CFD1", "75838A"
_MARGIN = 16  # mm
_TWIPS_A_MM = 1440 / 25.4
_MOST_KNOWN = 255  # characters of a core property, by python-docx
_DECORATIVE = (
    '<a:extLst xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main">'
    '<a:ext uri="{C183D7F6-B498-43B3-948B-1728B52AA6E4}"><adec:decorative val="1" '
    'xmlns:adec="http://schemas.microsoft.com/office/drawing/2017/decorative"/></a:ext></a:extLst>'
)


# --- Pieces of the body, as XML ---


def run(words: str, *, bold: bool = False, soft: bool = False) -> str:
    """Words in a paragraph; their lines stay lines."""
    look = "<w:b/>" * bold + f'<w:color w:val="{_SOFT}"/>' * soft
    lines = "<w:br/>".join(f'<w:t xml:space="preserve">{escape(line)}</w:t>' for line in words.split("\n"))
    return f"<w:r><w:rPr>{look}</w:rPr>{lines}</w:r>"


def paragraph(
    runs: str, style: str = "Normal", *, before: float = 0, new_page: bool = False, pen_line: bool = False
) -> str:
    """A paragraph of runs. before: points of space above; pen_line: a line under it, to write on."""
    look = f'<w:pStyle w:val="{style.replace(" ", "")}"/>' + "<w:pageBreakBefore/>" * new_page
    if pen_line:
        look += f'<w:pBdr><w:bottom w:val="single" w:sz="6" w:space="1" w:color="{_EDGE}"/></w:pBdr>'
    if before:
        look += f'<w:spacing w:before="{round(20 * before)}"/>'
    return f"<w:p><w:pPr>{look}</w:pPr>{runs}</w:p>"


def cells(row: Iterable[str], style: str = "Cell", *, pen_lines: Sequence[int] = ()) -> list[str]:
    """A row of plain words as paragraphs. pen_lines: the columns in which an empty cell gets a line to write on."""
    return [paragraph(run(words), style, pen_line=not words and place in pen_lines) for place, words in enumerate(row)]


class Paper:
    """A Word document that is being written from top to bottom."""

    def __init__(self, report: Report, title: str, *, landscape: bool) -> None:
        self._document = docx.Document()
        self._body: list[str] = []
        self._pictures = 0
        self._set_up_page(landscape=landscape)
        _set_up_styles(self._document)
        self._set_up_footer(said.footer(report))
        known = self._document.core_properties
        known.title, known.subject, known.language = (
            _known(said.titled(report, title)),
            _known(said.who_and_when(report)),
            tag(current()),
        )
        known.author = known.last_modified_by = _known(report.museum)
        known.comments = ""
        known.created = known.modified = dt.datetime.combine(report.held_on, dt.time(12))

    def add(self, *xml: str) -> None:
        """Pieces of the body."""
        self._body.extend(xml)

    def heading(self, words: str, level: int, *, new_page: bool = False) -> None:
        """A heading; 0 is the title of the document."""
        self.add(paragraph(run(words), f"Heading {level}" if level else "Title", new_page=new_page))

    def text(self, words: str, style: str = "Normal", *, before: float = 0) -> None:
        """A paragraph."""
        self.add(paragraph(run(words), style, before=before))

    def term(self, name: str, words: str, *, bold: bool) -> None:
        """A paragraph that says what it is about first: "Middle answer: Partly"."""
        self.add(paragraph(run(f"{name}: ", soft=True) + run(words, bold=bold)))

    def table(
        self,
        caption: str,
        headings: Sequence[str],
        widths: Sequence[float],
        rows: Iterable[Sequence[str]],
        *,
        ruled: bool = True,
    ) -> None:
        """A table with a header row that repeats on every page, and rows that no page end cuts.

        caption: its alternative text; widths: millimetres; rows: paragraphs (see `cells`).
        """
        twips = [round(width * _TWIPS_A_MM) for width in widths]
        grid = "".join(f'<w:gridCol w:w="{width}"/>' for width in twips)
        head = _row([paragraph(run(words), "Table heading") for words in headings], twips, "<w:tblHeader/>")
        body = "".join(_row(row, twips) for row in rows)
        self.add(
            f"<w:tbl>{_table_look(caption, sum(twips), ruled=ruled)}<w:tblGrid>{grid}</w:tblGrid>{head}{body}</w:tbl>"
        )

    def picture(self, png: bytes, alternative: str) -> str:
        """A run with a picture of `pictures`; without an alternative text it is marked as decoration."""
        self._pictures += 1
        relation, image = self._document.part.get_or_add_image(io.BytesIO(png))
        width, height = (Mm(pixels / pictures.PIXELS_A_MM) for pixels in (image.px_width, image.px_height))
        inline = CT_Inline.new_pic_inline(self._pictures, relation, "chart.png", width, height)
        for side in ("distT", "distB", "distL", "distR"):  # or LibreOffice keeps its own distance to the words
            inline.set(side, "0")
        inline.docPr.set("descr", alternative)
        if not alternative:
            inline.docPr.append(parse_xml(_DECORATIVE))
        return f"<w:r><w:drawing>{inline.xml}</w:drawing></w:r>"

    def save(self) -> bytes:
        """The file."""
        body = self._document.element.body
        for made in parse_xml(f"<w:body {nsdecls('w')}>{''.join(self._body)}</w:body>"):
            body.insert_element_before(made, "w:sectPr")
        file = io.BytesIO()
        self._document.save(file)
        return _without_times(file)

    def _set_up_page(self, *, landscape: bool) -> None:
        section = self._document.sections[0]
        section.orientation = WD_ORIENT.LANDSCAPE if landscape else WD_ORIENT.PORTRAIT
        section.page_width, section.page_height = (Mm(297), Mm(210)) if landscape else (Mm(210), Mm(297))
        section.left_margin = section.right_margin = section.top_margin = section.bottom_margin = Mm(_MARGIN)
        section.footer_distance = Mm(8)

    def _set_up_footer(self, words: str) -> None:
        section = self._document.sections[0]
        right = round(((section.page_width or 0) / Mm(1) - 2 * _MARGIN) * _TWIPS_A_MM)
        tabs = f'<w:tabs><w:tab w:val="right" w:pos="{right}"/></w:tabs>'
        fields = {
            code: f'<w:fldSimple w:instr="{code}"><w:r><w:t>1</w:t></w:r></w:fldSimple>'
            for code in ("PAGE", "NUMPAGES")
        }
        parts = re.split("(PAGE|NUMPAGES)", _("page %(page)s of %(pages)s", page="PAGE", pages="NUMPAGES"))
        count = "<w:r><w:tab/></w:r>" + "".join(fields.get(part) or run(part) for part in parts if part)
        made = f'<w:p {nsdecls("w")}><w:pPr><w:pStyle w:val="Small"/>{tabs}</w:pPr>{run(words)}{count}</w:p>'
        footer = section.footer
        footer.paragraphs[0]._p.getparent().replace(footer.paragraphs[0]._p, parse_xml(made))


def _known(words: str) -> str:
    """Words about the document, as far as python-docx takes them."""
    return words if len(words) <= _MOST_KNOWN else words[: _MOST_KNOWN - 1] + "…"


def _without_times(package: io.BytesIO) -> bytes:
    """The package with the same day in all its parts, so that the same session gives the same file."""
    made = io.BytesIO()
    with zipfile.ZipFile(package) as parts, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in parts.namelist():
            part = zipfile.ZipInfo(name)  # which says 1 January 1980, the first day that ZIP knows
            part.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(part, parts.read(name))
    return made.getvalue()


def _row(row: Sequence[str], twips: Sequence[int], look: str = "") -> str:
    made = "".join(
        f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/></w:tcPr>{content}</w:tc>'
        for content, width in zip(row, twips, strict=True)
    )
    return f"<w:tr><w:trPr><w:cantSplit/>{look}</w:trPr>{made}</w:tr>"


def _table_look(caption: str, twips: int, *, ruled: bool) -> str:
    sides = ("top", "bottom", "insideH") if ruled else ("bottom",)
    rules = "".join(f'<w:{side} w:val="single" w:sz="4" w:space="0" w:color="{_RULE}"/>' for side in sides)
    above = 40 if ruled else 15
    margins = "".join(
        f'<w:{side} w:w="{width}" w:type="dxa"/>'
        for side, width in (("top", above), ("left", 0), ("bottom", above), ("right", 115))
    )
    return (
        f'<w:tblPr><w:tblW w:w="{twips}" w:type="dxa"/><w:tblBorders>{rules}</w:tblBorders>'
        f'<w:tblLayout w:type="fixed"/><w:tblCellMar>{margins}</w:tblCellMar>'
        '<w:tblLook w:val="00A0" w:firstRow="1" w:lastRow="0" w:firstColumn="1" w:lastColumn="0" w:noHBand="1" '
        f'w:noVBand="1"/><w:tblCaption w:val={quoteattr(caption)}/></w:tblPr>'
    )


# --- Styles ---


def _set_up_styles(document: Document) -> None:
    for name, size in (("Normal", 10.5), ("Title", 24), ("Subtitle", 12.5)):
        _style(document, name, size, bold=name == "Title", colour=_SOFT if name == "Subtitle" else _INK, after=4)
    for name, size in (("Heading 1", 17), ("Heading 2", 12.5), ("Heading 3", 11)):
        _style(document, name, size, bold=True, before=11, after=3).paragraph_format.keep_with_next = True
    for name, size, colour in (
        ("Small", 9, _SOFT),
        ("Cell", 9.5, _INK),
        ("Chart cell", 9.5, _INK),
        ("Table heading", 9, _SOFT),
        ("Fact", 14, _INK),
    ):
        document.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH).base_style = document.styles["Normal"]
        style = _style(document, name, size, colour=colour, bold=name == "Fact", after=4 * (name == "Small"))
        # A chart stays with its question and with the words under it, a header with its first row.
        style.paragraph_format.keep_with_next = name in ("Chart cell", "Table heading")


def _style(
    document: Document,
    name: str,
    size: float,
    *,
    bold: bool = False,
    colour: RGBColor = _INK,
    before: float = 0,
    after: float = 0,
) -> ParagraphStyle:
    style = document.styles[name]
    assert isinstance(style, ParagraphStyle)
    style.font.name, style.font.size, style.font.bold, style.font.italic = "Arial", Pt(size), bold, False
    style.font.color.rgb = colour
    form = style.paragraph_format
    form.space_before, form.space_after, form.line_spacing = Pt(before), Pt(after), 1.1
    of_runs, of_paragraph = style.element.get_or_add_rPr(), style.element.get_or_add_pPr()
    fonts = of_runs.get_or_add_rFonts()
    fonts.attrib.clear()  # the template names faces of its theme, which would win
    for script in ("ascii", "hAnsi", "eastAsia", "cs"):
        fonts.set(qn(f"w:{script}"), "Arial")
    # The template spaces its title's letters and underlines it.
    for old in (*of_runs.findall(qn("w:spacing")), *of_runs.findall(qn("w:lang")), *of_paragraph.findall(qn("w:pBdr"))):
        old.getparent().remove(old)
    of_runs.append(parse_xml(f'<w:lang {nsdecls("w")} w:val="{tag(current())}"/>'))
    return style
