"""The report as PDF, A4: what the HTML page says, laid out for paper. The fonts are embedded."""

from __future__ import annotations

import io
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from fpdf import FPDF
from fpdf.enums import MethodReturnValue, WrapMode, XPos, YPos
from fpdf.fonts import TTFFont

from semc_core.export.report.data import (
    CHECKLIST_TITLES,
    MEASURE_TITLES,
    NO_PLANE,
    REGION_TITLES,
    RESEARCH_NOTICE,
    ReportData,
    ReportPlane,
)
from semc_core.language import N_, _, current
from semc_core.paths import ASSETS, CHINESE_FONT
from semc_core.text import readable
from semc_core.version import VERSION

_MARGIN_MM: Final = 16.0
_GAP_MM: Final = 6.0
_PICTURE_MM: Final = 56.0
_LINE_MM: Final = 4.6
_TITLE_MM: Final = 42.0
_FONT: Final = "Noto"
_CHINESE: Final = "Chinese"
_FIRST_CHINESE: Final = "\u2e80"
_INK: Final = (22, 34, 46)
_SOFT: Final = (91, 107, 122)
_HEAD: Final = (90, 107, 122)  # of a table; told from _SOFT
_LINE: Final = (217, 224, 230)
_ACCENT: Final = (11, 110, 143)
_PERSON: Final = (162, 91, 0)
_STATUS: Final = {"found": (22, 122, 62), "weak": _PERSON, "missing": (179, 38, 30)}
_PERCENT_MM: Final = 14.0
_BAR_MM: Final = 3.4
_LONGEST_CELL: Final = 24
_CUT: Final = N_("Words that end in … go on in report.html.")
_MISSING_GLYPHS: Final = N_("Characters that the fonts of this PDF lack were left out; report.html has them.")


def pdf_report(data: ReportData) -> bytes:
    """The file. Like the page, it holds neither a path nor the time at which it was written."""
    # It names each character that a font lacks, and what a person typed does not belong into a log.
    logging.getLogger("fpdf.output").setLevel(logging.ERROR)
    logging.getLogger("fpdf.fpdf").setLevel(logging.ERROR)
    chinese = current() == "zh" or any(letter >= _FIRST_CHINESE for letter in _words(data))
    page = _Page(data.code, data.warning, data.foot, chinese=chinese)
    page.add_page()
    _title(page, data)
    _planes(page, data.planes)
    _checklist(page, data)
    _measurements(page, data)
    _regions(page, data)
    _heading(page, _("How this was made"), 30)
    _pairs(page, (*data.model, *data.made_by))
    if page.was_cut:
        _text(page, _(_CUT), 8, _SOFT)
    if page.lacks_glyphs(data):
        _text(page, _(_MISSING_GLYPHS), 8, _SOFT)
    return bytes(page.output())


class _Page(FPDF):
    """A4 upright, with the fonts and a foot on every page. `was_cut` says whether words were left out."""

    def __init__(self, code: str, warning: str, foot: str = "", *, chinese: bool = False) -> None:
        super().__init__("portrait", "mm", "A4")
        self._foot = foot
        self._warning = warning
        self.was_cut = False
        self.set_margins(_MARGIN_MM, _MARGIN_MM, _MARGIN_MM)
        self.set_auto_page_break(True, 18)
        for style, name in (("", "NotoSans-Regular.ttf"), ("B", "NotoSans-Bold.ttf")):
            self.add_font(_FONT, style, ASSETS / "fonts" / name)
        if chinese:
            # Only what is written of it comes into the file; it has one weight.
            self.add_font(_CHINESE, "", CHINESE_FONT)
            self.set_fallback_fonts([_CHINESE], exact_match=False)
        self.set_title(_("Standard planes, {code}", code=code))
        self.set_creator(f"SEMC Live {VERSION}")
        self.set_creation_date(datetime(2000, 1, 1, tzinfo=UTC))
        self.set_lang(current())
        self.alias_nb_pages()

    def normalize_text(self, text: str) -> str:
        """All that is written on a page goes through here."""
        return super().normalize_text(readable(text))

    def footer(self) -> None:
        """What it is, and the number of the page."""
        if self._warning:
            self.set_y(-17)
            self.use(8, _INK, bold=True)
            self.cell(0, 4, self._warning)
        self.set_y(-13)
        self.use(8, _SOFT)
        self.cell(0, 5, self._foot)
        self.set_x(_MARGIN_MM)
        self.cell(0, 5, f"{self.page_no()} / {{nb}}", align="R")

    def use(self, size: float, colour: tuple[int, int, int] = _INK, bold: bool = False) -> None:
        """Choose how the next words look."""
        self.set_font(_FONT, "B" if bold else "", size)
        self.set_text_color(*colour)

    def height_of(self, words: str, width_mm: float, line_mm: float) -> float:
        """How high a paragraph is, in millimetres."""
        height = self.multi_cell(width_mm, line_mm, words, dry_run=True, output=MethodReturnValue.HEIGHT)
        assert isinstance(height, float | int)
        return height

    def cut(
        self, words: str, size: float, width_mm: float, line_mm: float, most: int, *, bold: bool = False
    ) -> str:
        """`words`, with an ellipsis after `most` lines if they have more."""
        self.use(size, bold=bold)
        lines = self.multi_cell(width_mm, line_mm, words, dry_run=True, output=MethodReturnValue.LINES)
        assert isinstance(lines, list)
        if len(lines) <= most:
            return words
        self.was_cut = True
        return "\n".join([*lines[: most - 1], f"{lines[most - 1][:-2].rstrip()}…"])

    def room(self, height_mm: float) -> None:
        """Begin a new page unless so much is left on this one."""
        if self.will_page_break(height_mm):
            self.add_page()

    def lacks_glyphs(self, data: ReportData) -> bool:
        """Whether a person typed something that the fonts cannot show."""
        known: set[int] = set()
        for name in (_FONT.lower(), _CHINESE.lower()):
            if isinstance(font := self.fonts.get(name), TTFFont):
                known |= font.cmap.keys()
        return any(ord(letter) not in known for letter in _words(data) if letter.isprintable())


def _words(data: ReportData) -> str:
    """What may have letters of any script: what a person typed, and what a protocol is called."""
    words = [data.code, data.note, *(plane.note + plane.plane for plane in data.planes)]
    words += [value for _title, value in data.subject]
    words += [label + note for _when, label, note in data.regions]
    if data.checklist is not None:
        words += [data.checklist.title, *(row.words + row.reason for row in data.checklist.rows)]
    return "".join(words)


def _title(page: _Page, data: ReportData) -> None:
    page.use(21, _INK, bold=True)
    page.cell(110, 10, _("Standard planes"))
    page.use(10, _SOFT)
    page.cell(0, 11, data.code, align="R", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    page.set_draw_color(*_ACCENT)
    page.set_line_width(0.9)
    page.line(_MARGIN_MM, page.get_y() + 1, page.w - _MARGIN_MM, page.get_y() + 1)
    page.ln(5)
    _notice(page, (_(RESEARCH_NOTICE), *data.notices))
    _pairs(page, (*data.subject, (_("Planes"), data.found)))
    if data.note:
        page.ln(2)
        _text(page, data.note, 9.5)


def _notice(page: _Page, sentences: Sequence[str]) -> None:
    """A box that is seen before anything else."""
    width = page.epw - 8
    heights = []
    for number, sentence in enumerate(sentences):
        page.use(9, bold=number == 0)
        heights.append(page.height_of(sentence, width, _LINE_MM))
    top, height = page.get_y(), sum(heights) + 4
    page.set_fill_color(255, 247, 226)
    page.rect(_MARGIN_MM, top, page.epw, height, "F")
    page.set_fill_color(217, 154, 0)
    page.rect(_MARGIN_MM, top, 1.3, height, "F")
    page.set_y(top + 2)
    for number, sentence in enumerate(sentences):
        page.use(9, bold=number == 0)
        page.set_x(_MARGIN_MM + 5)
        page.multi_cell(width, _LINE_MM, sentence, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    page.set_y(top + height + 4)


def _pairs(page: _Page, rows: Sequence[tuple[str, str]]) -> None:
    """Names on the left, values on the right."""
    for title, value in rows:
        page.room(_LINE_MM * 2)
        page.use(9, _SOFT)
        page.cell(_TITLE_MM, _LINE_MM + 0.6, title)
        page.use(9)
        page.multi_cell(
            0, _LINE_MM + 0.6, value, align="L", wrapmode=WrapMode.WORD if " " in value else WrapMode.CHAR,
            new_x=XPos.LMARGIN, new_y=YPos.NEXT,
        )  # fmt: skip


def _heading(page: _Page, words: str, below_mm: float) -> None:
    """A heading that stays with the next `below_mm` of what it is for."""
    page.room(12 + below_mm)
    page.ln(5)
    page.use(13, _ACCENT, bold=True)
    page.cell(0, 8, words, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    page.ln(1)


def _text(page: _Page, words: str, size: float, colour: tuple[int, int, int] = _INK) -> None:
    page.use(size, colour)
    page.multi_cell(0, _LINE_MM, words, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)


def _planes(page: _Page, planes: Sequence[ReportPlane]) -> None:
    """Two beside each other, a row never split over pages."""
    width = (page.epw - _GAP_MM) / 2
    pairs = [planes[at : at + 2] for at in range(0, len(planes), 2)]
    tallest = [max(_card_height(page, plane, width) for plane in pair) for pair in pairs]
    _heading(page, _("Planes"), tallest[0] if tallest else 6)
    if not planes:
        _text(page, _(NO_PLANE), 9.5)
    for pair, height in zip(pairs, tallest, strict=True):
        page.room(height)
        top = page.get_y()
        for column, plane in enumerate(pair):
            _card(page, plane, _MARGIN_MM + column * (width + _GAP_MM), top, width, height)
        page.set_xy(_MARGIN_MM, top + height + _GAP_MM)


@dataclass(frozen=True, slots=True)
class _Paragraph:
    """Words below a picture. Lengths in millimetres, the font's size in points."""

    words: str
    size: float
    line: float
    width: float
    colour: tuple[int, int, int]
    bold: bool = False

    def height(self, page: _Page) -> float:
        """In millimetres; chooses the font."""
        page.use(self.size, self.colour, self.bold)
        return page.height_of(self.words, self.width, self.line)


def _paragraphs(page: _Page, plane: ReportPlane, width: float) -> list[_Paragraph]:
    """Name, place, who decided, the quality, and the note."""
    title = plane.plane if plane.name == plane.plane else f"{plane.plane} · {plane.name}"
    beside = 0.0 if plane.confidence is None else _PERCENT_MM
    colour = _PERSON if plane.by_person else _SOFT
    words = plane.judged
    return [
        _Paragraph(
            page.cut(title, 10.5, width - beside, 5, 3, bold=True), 10.5, 5, width - beside, _INK, True
        ),
        _Paragraph(plane.place, 8, 4.4, width, _SOFT),
        _Paragraph(page.cut(plane.decided, 8, width, 4.4, 3), 8, 4.4, width, colour),
        *([_Paragraph(page.cut(words, 8, width, 4.4, 3), 8, 4.4, width, _SOFT)] if plane.quality else []),
        *([_Paragraph(page.cut(plane.note, 8.5, width, 4, 28), 8.5, 4, width, _INK)] if plane.note else []),
    ]


def _card_height(page: _Page, plane: ReportPlane, width: float) -> float:
    words = sum(each.height(page) for each in _paragraphs(page, plane, width - 8))
    return _PICTURE_MM + words + 4 + (0.0 if plane.confidence is None else _BAR_MM)


def _card(page: _Page, plane: ReportPlane, left: float, top: float, width: float, height: float) -> None:
    """Picture, name, confidence, who decided."""
    page.set_fill_color(0, 0, 0)
    page.rect(left, top, width, _PICTURE_MM, "F")
    scale = min(width / plane.width, _PICTURE_MM / plane.height)
    wide, high = plane.width * scale, plane.height * scale
    page.image(
        io.BytesIO(plane.picture), left + (width - wide) / 2, top + (_PICTURE_MM - high) / 2, wide, high,
        alt_text=plane.name,
    )  # fmt: skip
    inner, x, y = width - 8, left + 4, top + _PICTURE_MM + 2
    for number, each in enumerate(_paragraphs(page, plane, inner)):
        high = each.height(page)
        page.set_xy(x, y)
        page.multi_cell(each.width, each.line, each.words, align="L")
        if number == 0 and plane.confidence is not None:
            page.set_xy(x + each.width, y)
            page.cell(_PERCENT_MM, each.line, f"{plane.confidence:.0%}", align="R")
            _bar(page, plane.confidence, x + page.c_margin, y + high + 1, inner - 2 * page.c_margin)
            high += _BAR_MM
        y += high
    page.set_draw_color(*_LINE)
    page.set_line_width(0.25)
    page.rect(left, top, width, height)


def _bar(page: _Page, share: float, x: float, y: float, width: float) -> None:
    for colour, wide in ((_LINE, width), (_ACCENT, width * min(1.0, max(0.0, share)))):
        page.set_fill_color(*colour)
        page.rect(x, y, wide, 1.2, "F")


def _checklist(page: _Page, data: ReportData) -> None:
    if data.checklist is None:
        return
    _heading(page, data.checklist.title, 20)
    if data.checklist.progress:
        _text(page, data.checklist.progress, 9)
    rows = [_titles(CHECKLIST_TITLES)]
    for row in data.checklist.rows:
        status = _(row.status) + (f" ({row.reason})" if row.reason else "")
        rows.append((row.words, ", ".join(row.planes), status))
    colours = [_HEAD, *(_STATUS.get(row.status, _SOFT) for row in data.checklist.rows)]
    _table(page, rows, (0.46, 0.24, 0.30), colours)


def _measurements(page: _Page, data: ReportData) -> None:
    if data.measurements:
        _heading(page, _("Measurements"), 15)
        rows = [_titles(MEASURE_TITLES), *data.measurements]
        _table(page, rows, (0.26, 0.30, 0.44), [_HEAD, *[_INK] * len(data.measurements)])


def _regions(page: _Page, data: ReportData) -> None:
    if data.regions:
        _heading(page, _("Marked times"), 15)
        rows = [_titles(REGION_TITLES), *data.regions]
        _table(page, rows, (0.28, 0.24, 0.48), [_HEAD, *[_INK] * len(data.regions)])


def _titles(titles: tuple[str, str, str]) -> tuple[str, str, str]:
    first, second, third = titles
    return _(first), _(second), _(third)


def _table(
    page: _Page,
    rows: Sequence[tuple[str, str, str]],
    shares: tuple[float, float, float],
    colours: Sequence[tuple[int, int, int]],
) -> None:
    """Three columns with lines between the rows; the last column in each row's colour."""
    page.set_draw_color(*_LINE)
    page.set_line_width(0.25)
    widths = [share * page.epw for share in shares]
    for whole, colour in zip(rows, colours, strict=True):
        row = [
            page.cut(text, 9, width - 3, _LINE_MM, _LONGEST_CELL)
            for width, text in zip(widths, whole, strict=True)
        ]
        page.use(9)
        high = max(
            page.height_of(text or " ", width - 3, _LINE_MM) for width, text in zip(widths, row, strict=True)
        )
        page.room(high + 3)
        top, x = page.get_y() + 1.3, _MARGIN_MM
        for number, (width, text) in enumerate(zip(widths, row, strict=True)):
            page.use(9, colour if number == 2 or colour == _HEAD else _INK, bold=colour == _HEAD)
            page.set_xy(x, top)
            page.multi_cell(width - 3, _LINE_MM, text, align="L")
            x += width
        page.set_xy(_MARGIN_MM, top + high + 1.3)
        page.line(_MARGIN_MM, page.get_y(), page.w - _MARGIN_MM, page.get_y())
