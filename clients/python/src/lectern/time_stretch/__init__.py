"""Time stretching: changes the speed of speech and keeps its pitch.

`TempoMap` decides how fast each moment of the speech goes: pauses give more of their time than words do.
`Stretcher` follows that map: it jumps over single periods of the voice, or says them again, and fades across.
"""

from lectern.time_stretch.stretcher import Stretcher, stretched_length

__all__ = ["Stretcher", "stretched_length"]
