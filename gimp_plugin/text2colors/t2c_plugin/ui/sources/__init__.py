"""What colors come from: one class a source, with its widgets, its rows and its part of a request.

A source is shown when the engine's hello announces it: `"sources": {"words": {}, "look": {"looks": ["night"]}}`. The
value goes to `ColorSource.announced`. To add one:

1. Engine: add an entry to `t2c_engine.serving.sources.sources`, and read its parameters in `Service._colorize`.
2. Here: write a module with a subclass of `base.ColorSource`; add the class to `colors_from.all_sources`, in the tabs'
   order. `build` makes its widgets, `chosen` is called when its tab is chosen.
3. Give rows by `desk.show(NAME, [(Coloring(palette, format_extra({"title": "Night", "look": "night"})), "Night")])`.
   Each row gets a tick, a thumbnail and a large preview; previews and layers need nothing else.
4. `extra` is what the engine is told besides the palette (see `request.Coloring`). {"file": PATH} or {"layer": ID} in
   it stands for a picture. `image.other_pictures` reads it for previews, layers, *Again* and scripts, and sends it.
5. `request_part` adds fields of `Request` when rows of the source are chosen; `begin_with` opens a result for editing.

A setting of words, such as a style of palettes, is a widget in `words.WordsSource`, and a member of its `draw_params`.
Texts go through `_`, and into both catalogs in `locale`. Sources call the engine through `desk.engine` only.
"""
