"""What a probe's failures are said to mean."""

import pytest

from packetcrypt.engine.probe_problems import explain_failure


@pytest.mark.parametrize(
    ("error", "cause", "remedy"),
    [
        (
            # so PoCL says it on a processor that is newer than its LLVM
            "clBuildProgram failed: BUILD_PROGRAM_FAILURE\n\nerror: unknown target CPU 'generic'\n",
            "compiler is older than this processor",
            "pip install 'packetcrypt-engine[pocl]'",
        ),
        ("its results are wrong", "its results are wrong", "reinstall the device's OpenCL driver"),
    ],
)
def test_a_failed_kernel_is_explained(error: str, cause: str, remedy: str) -> None:
    problem = explain_failure(error)

    assert cause in problem.cause
    assert remedy in problem.remedy
