"""Pictures on the screen: the large preview with zoom, pan and before/after, and the thumbnails of rows.

Drawn by cairo at the screen's own resolution, so that they are sharp on screens of double density.
"""

from __future__ import annotations

from typing import Any

import gi

gi.require_version("Gtk", "3.0")
gi.require_version("GdkPixbuf", "2.0")
gi.require_version("PangoCairo", "1.0")
from gi.repository import Gdk, GdkPixbuf, GLib, Gtk, PangoCairo  # noqa: E402

from t2c_plugin.pixels import Pixels  # noqa: E402
from t2c_plugin.texts import _  # noqa: E402
from t2c_plugin.ui.windows import describe_it, name_it  # noqa: E402

MAX_ZOOM = 8.0
_STEP = 1.25
_PAN = 40  # px that an arrow key moves the picture


def pixbuf_of(picture: Pixels, alpha: bytes | None = None) -> GdkPixbuf.Pixbuf:
    """A picture ("RGB u8") as Gtk has it; with `alpha`, one byte a pixel, transparent where that is 0."""
    width, height, channels, pixels = picture.width, picture.height, 3, picture.pixels
    if alpha is not None:
        mixed = bytearray(width * height * 4)
        for channel in range(3):
            mixed[channel::4] = pixels[channel::3]
        mixed[3::4] = alpha
        channels, pixels = 4, bytes(mixed)
    return GdkPixbuf.Pixbuf.new_from_bytes(
        GLib.Bytes.new(pixels), GdkPixbuf.Colorspace.RGB, channels == 4, 8, width, height, width * channels
    )


def _paint(context: Any, pixbuf: GdkPixbuf.Pixbuf, left: float, top: float, width: float, height: float) -> None:
    """Draw a picture with its upper left corner at a place, of a size."""
    context.save()
    context.translate(left, top)
    context.scale(width / pixbuf.get_width(), height / pixbuf.get_height())
    Gdk.cairo_set_source_pixbuf(context, pixbuf, 0, 0)
    context.paint()
    context.restore()


class Thumbnail(Gtk.DrawingArea):
    """A small picture, as large as fits; dimmed while it is an old one."""

    def __init__(self, width: int, height: int) -> None:
        super().__init__(valign=Gtk.Align.CENTER)
        self.set_size_request(width, height)
        self._pixbuf: GdkPixbuf.Pixbuf | None = None
        self._current = False
        self.connect("draw", self._on_draw)

    def show_picture(self, pixbuf: GdkPixbuf.Pixbuf, current: bool = True) -> None:
        """Show a picture; not `current`: until the right one has come."""
        self._pixbuf, self._current = pixbuf, current
        describe_it(self, "" if current else _("Coloring..."))
        self.queue_draw()

    def _on_draw(self, _widget: Gtk.Widget, context: Any) -> bool:
        if self._pixbuf is None:
            return False
        width, height = self.get_allocated_width(), self.get_allocated_height()
        wide = min(width, height * self._pixbuf.get_width() / self._pixbuf.get_height())
        high = wide * self._pixbuf.get_height() / self._pixbuf.get_width()
        left, top = (width - wide) / 2, (height - high) / 2
        context.push_group()
        _paint(context, self._pixbuf, left, top, wide, high)
        context.pop_group_to_source()
        context.paint_with_alpha(1.0 if self._current else 0.35)
        return False


class PictureView(Gtk.DrawingArea):
    """The large preview. The wheel and +, - zoom; dragging and the arrow keys pan; 0 fits."""

    def __init__(self, width: int, height: int) -> None:
        super().__init__(can_focus=True, hexpand=True, vexpand=True)
        self.set_size_request(width, height)
        self._before: GdkPixbuf.Pixbuf | None = None
        self._after: GdkPixbuf.Pixbuf | None = None
        self._mask: bytes | None = None
        self._mask_size = (0, 0)
        self.showing_before = False
        self._current = True
        self._message = ""
        self._zoom, self._x, self._y = 1.0, 0.5, 0.5  # what of the picture is in the middle, 0..1
        self._drag: tuple[float, float] | None = None
        mask = Gdk.EventMask
        self.add_events(
            mask.SCROLL_MASK
            | mask.SMOOTH_SCROLL_MASK
            | mask.BUTTON_PRESS_MASK
            | mask.BUTTON_RELEASE_MASK
            | mask.POINTER_MOTION_MASK
            | mask.KEY_PRESS_MASK
        )
        self.connect("draw", self._on_draw)
        self.connect("scroll-event", self._on_scroll)
        self.connect("button-press-event", self._on_press)
        self.connect("button-release-event", self._on_release)
        self.connect("motion-notify-event", self._on_motion)
        self.connect("key-press-event", self._on_key)
        name_it(self, _("Preview of the layer"))

    def set_before(self, picture: Pixels, region: bytes | None) -> None:
        """The layer as it is, and which of its pixels are selected (one byte each); None: all."""
        self._before = pixbuf_of(picture)
        self._mask, self._mask_size = region, (picture.width, picture.height)
        self.queue_draw()

    def show_after(self, picture: Pixels, current: bool = True) -> None:
        """The layer as it will be; outside the selection the original is seen."""
        alpha = None
        if self._mask is not None:
            alpha = _scaled_mask(self._mask, self._mask_size, (picture.width, picture.height))
        self._after, self._current = pixbuf_of(picture, alpha), current
        self._describe("")

    def wait(self, text: str) -> None:
        """Dim what is shown, and say what is waited for."""
        self._current = False
        self._describe(text)

    def _describe(self, message: str) -> None:
        """Say something over the picture, to assistive programs, too; "" ends it."""
        self._message = message
        describe_it(self, message)
        self.queue_draw()

    def show_before(self, before: bool) -> None:
        """Show the layer as it is, or as it will be."""
        self.showing_before = before
        self.queue_draw()

    @property
    def device_side(self) -> int:
        """Screen pixels of the picture's longer side, for as sharp a preview."""
        side = max(self.get_allocated_width(), self.get_allocated_height(), self.get_size_request()[0])
        return round(side * self._zoom * self.get_scale_factor())

    def _fitted(self) -> tuple[float, float, float, float]:
        """Left, top, width and height of the picture as drawn."""
        shape = self._before or self._after
        assert shape is not None
        width, height = self.get_allocated_width(), self.get_allocated_height()
        ratio = shape.get_height() / shape.get_width()
        wide = min(width, height / ratio) * self._zoom
        high = wide * ratio
        left = width / 2 - self._x * wide if wide > width else (width - wide) / 2
        top = height / 2 - self._y * high if high > height else (height - high) / 2
        return left, top, wide, high

    def _on_draw(self, _widget: Gtk.Widget, context: Any) -> bool:
        if self._before is None and self._after is None:
            return False
        left, top, wide, high = self._fitted()
        if self._before is not None:
            _paint(context, self._before, left, top, wide, high)
        if self._after is not None and not self.showing_before:
            context.push_group()
            _paint(context, self._after, left, top, wide, high)
            context.pop_group_to_source()
            context.paint_with_alpha(1.0 if self._current else 0.45)
        text = _("Before") if self.showing_before else self._message
        if text:
            self._draw_label(context, text)
        return False

    def _draw_label(self, context: Any, text: str) -> None:
        layout = self.create_pango_layout(text)
        width, height = layout.get_pixel_size()
        context.set_source_rgba(0, 0, 0, 0.65)
        context.rectangle(8, 8, width + 16, height + 8)
        context.fill()
        context.set_source_rgba(1, 1, 1, 1)
        context.move_to(16, 12)
        PangoCairo.show_layout(context, layout)

    def _set_zoom(self, zoom: float) -> None:
        self._zoom = min(MAX_ZOOM, max(1.0, zoom))
        self._move(0, 0)
        self.emit("size-allocate", self.get_allocation())  # who fetches the picture may want a larger one

    def _move(self, x: float, y: float) -> None:
        """Move what is in the middle by so many pixels of the screen."""
        if self._before is None:
            return
        _left, _top, wide, high = self._fitted()
        half_x, half_y = (min(0.5, size / 2 / full) for size, full in self._extent(wide, high))
        self._x = min(1 - half_x, max(half_x, self._x + x / wide))
        self._y = min(1 - half_y, max(half_y, self._y + y / high))
        self.queue_draw()

    def _extent(self, wide: float, high: float) -> tuple[tuple[int, float], tuple[int, float]]:
        return (self.get_allocated_width(), wide), (self.get_allocated_height(), high)

    def _on_scroll(self, _widget: Gtk.Widget, event: Gdk.EventScroll) -> bool:
        _has, _dx, dy = event.get_scroll_deltas()
        up = event.direction == Gdk.ScrollDirection.UP or dy < 0
        self._set_zoom(self._zoom * (_STEP if up else 1 / _STEP))
        return True

    def _on_press(self, _widget: Gtk.Widget, event: Gdk.EventButton) -> bool:
        self.grab_focus()
        self._drag = (event.x, event.y)
        return True

    def _on_release(self, _widget: Gtk.Widget, _event: Gdk.EventButton) -> bool:
        self._drag = None
        return True

    def _on_motion(self, _widget: Gtk.Widget, event: Gdk.EventMotion) -> bool:
        if self._drag is not None:
            self._move(self._drag[0] - event.x, self._drag[1] - event.y)
            self._drag = (event.x, event.y)
        return True

    def _on_key(self, _widget: Gtk.Widget, event: Gdk.EventKey) -> bool:
        name = Gdk.keyval_name(event.keyval) or ""
        if name in ("plus", "KP_Add", "equal"):
            self._set_zoom(self._zoom * _STEP)
        elif name in ("minus", "KP_Subtract"):
            self._set_zoom(self._zoom / _STEP)
        elif name in ("0", "KP_0"):
            self._set_zoom(1.0)
        elif self._zoom > 1 and name in ("Left", "Right", "Up", "Down"):
            x = {"Left": -_PAN, "Right": _PAN}.get(name, 0)
            self._move(x, {"Up": -_PAN, "Down": _PAN}.get(name, 0))
        else:
            return False
        return True


def _scaled_mask(mask: bytes, size: tuple[int, int], wanted: tuple[int, int]) -> bytes:
    """A mask at another size, nearest neighbour."""
    if size == wanted:
        return mask
    (width, height), (wide, high) = size, wanted
    columns = [x * width // wide for x in range(wide)]
    rows = {}
    for y in range(high):
        source = y * height // high
        if source not in rows:
            row = mask[source * width : (source + 1) * width]
            rows[source] = bytes(row[x] for x in columns)
    return b"".join(rows[y * height // high] for y in range(high))
