"""Puts tables of given programs on an OpenCL device, where only generated ones get otherwise."""

from collections.abc import Sequence

import numpy as np

from packetcrypt.kernels.opencl.buffers import upload
from packetcrypt.kernels.opencl.context import DeviceContext
from packetcrypt.kernels.opencl.initial_states import InitialStates
from packetcrypt.kernels.opencl.programs import PROGRAM_DTYPE, Programs
from packetcrypt.kernels.opencl.randhash import LoadedTables
from packetcrypt.kernels.program import decode
from packetcrypt.protocol.randhash import RandProgram


def load_tables(
    context: DeviceContext, tables: Sequence[tuple[RandProgram, bytes]]
) -> LoadedTables:
    """Tables of programs and 32-byte items seeds."""
    decoded = [decode(words) for words, _ in tables]
    headers = np.zeros(len(decoded), PROGRAM_DTYPE)
    lengths = [len(program.records) for program in decoded]
    headers["length"] = lengths
    headers["first_record"] = np.cumsum(lengths) - lengths
    for name in ("slots", "longest_end", "common_words", "longest_path"):
        headers[name] = [getattr(program, name) for program in decoded]
    programs = Programs(
        headers,
        device_headers=upload(context, headers),
        memories=upload(context, np.concatenate([program.memory for program in decoded])),
        records=upload(context, np.concatenate([program.records for program in decoded])),
    )
    return LoadedTables(programs, InitialStates(context).make([seed for _, seed in tables]))
