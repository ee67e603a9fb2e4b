"""Convolutions by fewer multiplications (Toom 1963, Cook 1966, Winograd 1980; Lavin and Gray 2016), for inference.

Four outputs in a row are a product of polynomials: evaluated at six or seven points, multiplied there, interpolated
back. Three taps then cost 6 multiplications instead of 12, four taps 7 instead of 16; longer kernels are cut into
groups of four taps. The results differ from a plain convolution's by rounding alone (about 2e-6, relatively).
Shape letters: B batch, T cells, C channels in, O channels out, G groups of taps.
"""

from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor, nn
from torch.nn import functional as F

TILE = 4  # outputs that are computed together
SMALLER = {3: 0.5**0.5, 4: 1.0}  # by taps in a group: polynomials are evaluated at 0, infinity, ±a, ±2a for this a ...
SEVENTH = 0.5  # ... and here, for groups of four; of the points that were tried these round least (Alam et al. 2022)
FEWEST_CHANNELS = 128  # with fewer, the transformations cost more than the multiplications that they save
_BLOCK = 2**21  # numbers that are transformed at once: few enough for the caches, many enough for the multiplications


@dataclass(frozen=True)
class Kernel:
    """What `transform` makes of a kernel."""

    taps: tuple[Tensor, ...]  # [O, C, G, taps across] at each point: 0, a, -a, 2a, -2a, infinity; 1/2 if `by_four`
    bias: Tensor  # [O]
    before: int  # taps before the origin
    by_four: bool  # groups of four taps; otherwise one group of three


def transform(weight: Tensor, bias: Tensor | None, before: int) -> Kernel:
    """A kernel [O, C, taps along, taps across] evaluated at the points along its third axis.

    `before` taps lie before the origin; the number of taps across is odd, and their middle is the origin. The values
    take twice the kernel's memory, a little less for eleven taps.
    """
    size = weight.shape[2]
    in_group = 3 if size <= 3 else 4
    groups = -(-size // in_group)
    whole = F.pad(weight.double(), (0, 0, 0, groups * in_group - size)).unflatten(2, (groups, in_group))
    values = torch.einsum("pi,ocgiw->pocgw", _evaluation(in_group).to(whole), whole).to(weight.dtype)
    taps = tuple(value.contiguous(memory_format=torch.channels_last) for value in values)
    return Kernel(taps, weight.new_zeros(len(weight)) if bias is None else bias, before, in_group == 4)


def convolve(x: Tensor, width: int, kernel: Kernel) -> Tensor:
    """Cells x [B, T, C], read as rows of `width` cells -> [B, T, O]; padded with zeros.

    An image is rows of its width; a signal that is convolved with dilation d is rows of d.
    """
    B, T, C = x.shape
    groups, out_channels = kernel.taps[0].shape[2], kernel.taps[0].shape[0]
    tiles = -(-T // (width * TILE))
    rows = TILE * (tiles + groups)
    padded = F.pad(x, (0, 0, kernel.before * width, (rows - kernel.before) * width - T)).view(B, rows, width, C)
    out = x.new_empty(B, tiles, TILE, width, out_channels)
    block = max(TILE * TILE, _BLOCK // (B * TILE * width * C))
    for first in range(0, tiles, block):
        stop = min(first + block, tiles)
        values = _evaluate(
            padded[:, TILE * first : TILE * (stop + groups)], stop - first + groups - 1, by_four=kernel.by_four
        )
        _interpolate(_multiply(values, kernel), kernel, out[:, first:stop])
    return out.view(B, -1, out_channels)[:, :T]


class Prepared(nn.Module):
    """A module that can take a shorter way once it is `prepared`."""

    prepared = False
    evaluates = False  # whether it may keep an evaluated kernel for that


class Conv2d(Prepared, nn.Conv2d):
    """A convolution of odd size that keeps the image's size; see `prepare`. Its state is that of `nn.Conv2d`."""

    _kernel: Kernel | None = None

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int) -> None:
        super().__init__(in_channels, out_channels, kernel_size, padding=kernel_size // 2)

    def forward(self, x: Tensor) -> Tensor:
        if not (self.evaluates and _pays(self.weight, x)):
            return super().forward(x)
        if self._kernel is None:
            self._kernel = transform(self.weight, self.bias, self.kernel_size[0] // 2)
        B, C, H, W = x.shape
        out = convolve(x.permute(0, 2, 3, 1).reshape(B, H * W, C), W, self._kernel)
        image: Tensor = out.unflatten(1, (H, W))
        return image.permute(0, 3, 1, 2)


class Conv1d(Prepared, nn.Conv1d):
    """A dilated convolution of odd size that keeps the signal's length; see `prepare`. Its state is `nn.Conv1d`'s."""

    _kernel: Kernel | None = None

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, dilation: int = 1) -> None:
        padding = dilation * (kernel_size // 2)
        super().__init__(in_channels, out_channels, kernel_size, dilation=dilation, padding=padding)

    def forward(self, x: Tensor) -> Tensor:
        if not self.prepared or not computes(x):
            return super().forward(x)
        if not (self.evaluates and _pays(self.weight, x)):
            padding, dilation = int(self.padding[0]), self.dilation[0]
            return _as_column(x, self.weight, self.bias, padding=padding, dilation=dilation)
        if self._kernel is None:
            self._kernel = transform(self.weight[..., None], self.bias, self.kernel_size[0] // 2)
        return convolve(x.transpose(1, 2), self.dilation[0], self._kernel).transpose(1, 2)


class ConvTranspose1d(Prepared, nn.ConvTranspose1d):
    """An upsampling by `stride`; see `prepare`. Its state is that of `nn.ConvTranspose1d`."""

    _kernel: Kernel | None = None

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, stride: int) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, padding=(kernel_size - stride) // 2)

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        if not self.prepared or not computes(x) or output_size is not None:
            return super().forward(x, output_size)
        taps = -(-self.kernel_size[0] // self.stride[0])
        longer = F.pad(x.transpose(1, 2), (0, 0, 0, taps - 1)).transpose(1, 2)
        if not (self.evaluates and _pays(self.weight, x)):
            many = _as_column(longer, *self._as_convolution(taps), padding=taps - 1)[..., : longer.shape[2]]
        else:
            if self._kernel is None:
                weight, bias = self._as_convolution(taps)
                self._kernel = transform(weight[..., None], bias, taps - 1)
            many = convolve(longer.transpose(1, 2), 1, self._kernel).transpose(1, 2)
        whole = many.transpose(1, 2).reshape(x.shape[0], -1, self.out_channels)  # [B, T·stride and more, O]
        start, length = int(self.padding[0]), self._length(x.shape[2])
        return whole[:, start : start + length].transpose(1, 2)

    def _as_convolution(self, taps: int) -> tuple[Tensor, Tensor | None]:
        """Weight [stride·O, C, taps] and bias [stride·O] of the convolution that makes `stride` outputs per cell."""
        stride = self.stride[0]
        padded = F.pad(self.weight, (0, taps * stride - self.kernel_size[0])).unflatten(2, (taps, stride))
        weight = padded.flip(2).permute(3, 1, 0, 2).flatten(0, 1)  # [C, O, taps, stride] before
        return weight, None if self.bias is None else self.bias.repeat(stride)

    def _length(self, cells: int) -> int:
        return (cells - 1) * self.stride[0] - 2 * int(self.padding[0]) + self.kernel_size[0]


def prepare(net: nn.Module, *, short: bool = True, kernels: bool = True) -> None:
    """Switch a net's fast convolutions on or off; they are used on processors and without gradients.

    Kernels are transformed when they are first needed, and kept beside the plain ones (`memory_of_kernels`): the
    weights must be final. Without `kernels` only optimisations that take no memory are used.
    """
    for module in net.modules():
        if isinstance(module, Prepared):
            module.prepared = short
            module.evaluates = short and kernels


def memory_of_kernels(net: nn.Module) -> int:
    """Return the bytes that a net's transformed kernels will take beside the plain ones."""
    return sum(
        _numbers_evaluated(module) * module.weight.element_size()
        for module in net.modules()
        if isinstance(module, Conv2d | Conv1d | ConvTranspose1d) and _is_wide(module.weight)
    )


def _numbers_evaluated(module: nn.Conv1d | nn.Conv2d | nn.ConvTranspose1d) -> int:
    """As many as `transform` makes of its weight."""
    size, others = module.weight.shape[2], module.weight.numel() // module.weight.shape[2]
    if isinstance(module, nn.ConvTranspose1d):
        size, others = -(-size // module.stride[0]), others * module.stride[0]
    in_group = 3 if size <= 3 else 4
    return others * -(-size // in_group) * (in_group + 3)


def _as_column(x: Tensor, weight: Tensor, bias: Tensor | None, *, padding: int, dilation: int = 1) -> Tensor:
    """The plain convolution, as of an image of one column with its channels last: up to three times as fast."""
    column = weight[..., None].contiguous(memory_format=torch.channels_last)
    return F.conv2d(x[..., None], column, bias, 1, (padding, 0), (dilation, 1))[..., 0]


def computes(x: Tensor) -> bool:
    """Whether a prepared layer uses its fast form for this input: on processors, in 32 bits, without gradients."""
    return x.device.type == "cpu" and x.dtype == torch.float32 and not torch.is_grad_enabled()


def _pays(weight: Tensor, x: Tensor) -> bool:
    return _is_wide(weight) and computes(x)


def _is_wide(weight: Tensor) -> bool:
    return min(weight.shape[:2]) >= FEWEST_CHANNELS and weight.shape[2] > 1


def _evaluation(in_group: int) -> Tensor:
    """Taps -> values at the points, over the points' Lagrange denominators: float64 [6 or 7, taps in a group].

    The value at infinity, the leading coefficient, is divided by a³ beforehand, as `_interpolate` multiplies by it.
    """
    a = SMALLER[in_group]
    points = [0, a, -a, 2 * a, -2 * a, SEVENTH][: in_group + 2]
    rows = [[x**k / prod(x - y for y in points if y != x) for k in range(in_group)] for x in points]
    rows.insert(5, [0.0] * (in_group - 1) + [a**-3])
    return torch.tensor(rows, dtype=torch.float64)


def _evaluate(rows: Tensor, tiles: int, *, by_four: bool) -> Tensor:
    """Rows [B, 4·tiles + 2 or more, width, C] -> values at the points [6 or 7, B, tiles, width, C].

    The transposed interpolation: with N = (x² - a²)(x² - 4a²), the row of the point p holds the coefficients of
    x N / (x - p), or of x N (x - 1/2) / (x - p) where the half is a point; powers of x are shifts by a row.
    """

    def shifted(source: Tensor, shift: int) -> Tensor:
        return source[:, shift : shift + TILE * tiles - TILE + 1 : TILE]

    a = SMALLER[4 if by_four else 3]
    one, two, both, product = a**2, 4 * a**2, 5 * a**2, 4 * a**4  # a², (2a)², their sum and product
    values = rows.new_empty(7 if by_four else 6, rows.shape[0], tiles, *rows.shape[2:])
    if by_four:
        torch.sub(shifted(rows, 5), shifted(rows, 3), alpha=both, out=values[6]).add_(shifted(rows, 1), alpha=product)
        rows = torch.sub(rows[:, 1:], rows[:, :-1], alpha=SEVENTH)  # times (x - 1/2)
    x0, x1, x2, x3, x4, x5 = (shifted(rows, shift) for shift in range(6))
    even, odd = torch.sub(x4, x2, alpha=two), torch.sub(x3, x1, alpha=two)
    torch.add(even, odd, alpha=a, out=values[1])
    torch.sub(even, odd, alpha=a, out=values[2])
    torch.sub(x4, x2, alpha=one, out=even)
    torch.sub(x3, x1, alpha=one, out=odd)
    torch.add(even, odd, alpha=2 * a, out=values[3])
    torch.sub(even, odd, alpha=2 * a, out=values[4])
    torch.add(torch.sub(x4, x2, alpha=both, out=even), x0, alpha=product, out=values[0])
    torch.add(torch.sub(x5, x3, alpha=both, out=odd), x1, alpha=product, out=values[5])
    return values


def _multiply(values: Tensor, kernel: Kernel) -> list[Tensor]:
    """Values at the points [6 or 7, B, tiles + G - 1, width, C] -> of the product, each [B, tiles, width, O]."""
    across = kernel.taps[0].shape[3] // 2
    images = (value.permute(0, 3, 1, 2) for value in values)  # channels last
    products = (F.conv2d(image, taps, padding=(0, across)) for image, taps in zip(images, kernel.taps, strict=True))
    return [product.permute(0, 2, 3, 1) for product in products]


def _interpolate(values: list[Tensor], kernel: Kernel, out: Tensor) -> None:
    """Write outputs [B, tiles, 4, width, O]: output k is the sum over the points p of p^k times the value at p."""
    at0, at1, at_1, at2, at_2, at_infinity = values[:6]
    even, odd = at1 + at_1, at1.sub_(at_1)
    even2, odd2 = at2 + at_2, at2.sub_(at_2)
    if kernel.by_four:
        even.add_(values[6])
        odd.add_(values[6], alpha=1 / 2)
    torch.add(odd, odd2, alpha=2, out=out[:, :, 1])
    torch.add(even, even2, alpha=4, out=out[:, :, 2])
    if kernel.by_four:
        out[:, :, 2].sub_(values[6], alpha=1 - 1 / 4)
        odd.sub_(values[6], alpha=1 / 2 - 1 / 8)
    torch.add(odd.add_(odd2, alpha=8), at_infinity, out=out[:, :, 3])
    torch.add(even.add_(even2), at0, out=out[:, :, 0])
    powers = torch.tensor([SMALLER[4 if kernel.by_four else 3] ** k for k in range(TILE)]).to(out)
    torch.addcmul(kernel.bias, out, powers[:, None, None], out=out)
