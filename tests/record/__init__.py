"""A record of what the program does, so that a change of how it does it is seen not to change what.

`make record` computes everything anew and prints what differs; `python -m tests.record --write` stores it. A
part of it that takes less than a minute is a test of the suite.

What is compared, and how:

- Words, whole numbers, frame numbers, holds, planes and labels: exactly.
- Probabilities: to 0.001. The program computes in float32 by `--precision float32`, on one core, and PyTorch
  and NumPy are told to use AVX2 at most (`running.PLAIN`). OpenVINO uses what the processor has: with and
  without AVX-512, probabilities were seen to differ by 0.000001. Pictures of the simulated scan go through
  OpenCV without IPP, which draws other pixels on other processors.
- Losses of 20 steps and the weights after them: to 3 % and 2 %, for what differs in the last place grows with
  every step. Between AVX2 and AVX-512 losses were seen to differ by 1 % and once by 3 %, so training is held
  to AVX2.
- Whatever lies below a name that ends in `_here` (pixels of the simulated scan, clips that were encoded,
  thresholds that a training chose): exactly or as above, but only on the kind of processor, and with the
  versions of libraries, that the record was stored on, and only by `make record`.

Times, paths, versions of libraries and the identifiers that come from chance are left out. Clips in exports
have no hash anywhere: two threads encode them, and do not always make the same bytes of the same pictures.
"""
