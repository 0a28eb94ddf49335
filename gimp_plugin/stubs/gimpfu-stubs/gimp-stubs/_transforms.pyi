"""Transformations of a drawable. Each returns the drawable that holds the result."""

from . import Drawable

class Transforms:
    """The methods that gimp.Drawable has for them; those named `default` take GIMP's usual interpolation."""

    def transform_flip(
        self,
        x0: float,
        y0: float,
        x1: float,
        y1: float,
        transform_direction: int,
        interpolation: int,
        supersample: bool = ...,
        recursion_level: int = ...,
        clip_result: int = ...,
    ) -> Drawable: ...
    def transform_flip_simple(
        self, flip_type: int, auto_center: bool, axis: float, clip_result: int = ...
    ) -> Drawable: ...
    def transform_flip_default(
        self, x0: float, y0: float, x1: float, y1: float, interpolate: bool = ..., clip_result: int = ...
    ) -> Drawable: ...
    def transform_perspective(
        self,
        x0: float,
        y0: float,
        x1: float,
        y1: float,
        x2: float,
        y2: float,
        x3: float,
        y3: float,
        transform_direction: int,
        interpolation: int,
        supersample: bool = ...,
        recursion_level: int = ...,
        clip_result: int = ...,
    ) -> Drawable: ...
    def transform_perspective_default(
        self,
        x0: float,
        y0: float,
        x1: float,
        y1: float,
        x2: float,
        y2: float,
        x3: float,
        y3: float,
        interpolate: bool = ...,
        clip_result: int = ...,
    ) -> Drawable: ...
    def transform_rotate(
        self,
        angle: float,
        auto_center: bool,
        center_x: int,
        center_y: int,
        transform_direction: int,
        interpolation: int,
        supersample: bool = ...,
        recursion_level: int = ...,
        clip_result: int = ...,
    ) -> Drawable: ...
    def transform_rotate_simple(
        self, rotate_type: int, auto_center: bool, center_x: int, center_y: int, clip_result: int = ...
    ) -> Drawable: ...
    def transform_rotate_default(
        self,
        angle: float,
        auto_center: bool,
        center_x: float,
        center_y: float,
        interpolate: bool = ...,
        clip_result: int = ...,
    ) -> Drawable: ...
    def transform_scale(
        self,
        x0: float,
        y0: float,
        x1: float,
        y1: float,
        transform_direction: int,
        interpolation: int,
        supersample: bool = ...,
        recursion_level: int = ...,
        clip_result: int = ...,
    ) -> Drawable: ...
    def transform_scale_default(
        self, x0: float, y0: float, x1: float, y1: float, interpolate: bool = ..., clip_result: int = ...
    ) -> Drawable: ...
    def transform_shear(
        self,
        shear_type: int,
        magnitude: float,
        transform_direction: int,
        interpolation: int,
        supersample: bool = ...,
        recursion_level: int = ...,
        clip_result: int = ...,
    ) -> Drawable: ...
    def transform_shear_default(
        self, shear_type: int, magnitude: float, interpolate: bool = ..., clip_result: int = ...
    ) -> Drawable: ...
    def transform_2d(
        self,
        source_x: float,
        source_y: float,
        scale_x: float,
        scale_y: float,
        angle: float,
        dest_x: float,
        dest_y: float,
        transform_direction: int,
        interpolation: int,
        supersample: bool = ...,
        recursion_level: int = ...,
        clip_result: int = ...,
    ) -> Drawable: ...
    def transform_2d_default(
        self,
        source_x: float,
        source_y: float,
        scale_x: float,
        scale_y: float,
        angle: float,
        dest_x: float,
        dest_y: float,
        interpolate: bool = ...,
        clip_result: int = ...,
    ) -> Drawable: ...
    def transform_matrix(
        self,
        coeff_0_0: float,
        coeff_0_1: float,
        coeff_0_2: float,
        coeff_1_0: float,
        coeff_1_1: float,
        coeff_1_2: float,
        coeff_2_0: float,
        coeff_2_1: float,
        coeff_2_2: float,
        transform_direction: int,
        interpolation: int,
        supersample: bool = ...,
        recursion_level: int = ...,
        clip_result: int = ...,
    ) -> Drawable: ...
    def transform_matrix_default(
        self,
        coeff_0_0: float,
        coeff_0_1: float,
        coeff_0_2: float,
        coeff_1_0: float,
        coeff_1_1: float,
        coeff_1_2: float,
        coeff_2_0: float,
        coeff_2_1: float,
        coeff_2_2: float,
        interpolate: bool = ...,
        clip_result: int = ...,
    ) -> Drawable: ...
