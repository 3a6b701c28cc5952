"""EZKL's own calls, one step a process, as its documentation strings them together. Runs in the Python of the `ezkl` folder.

python ezkl_steps.py STEP VISIBILITY [ARGUMENT]     in the folder with model.onnx and pixels.json; prints `inner SECONDS`
"""

import asyncio
import inspect
import json
import os
import shutil
import sys
import time

import ezkl


def call(function, *arguments, **options):
    """Some of its functions are coroutines, others are not."""

    async def awaited():
        found = function(*arguments, **options)
        return await found if inspect.isawaitable(found) else found

    start = time.perf_counter()
    found = asyncio.run(awaited())
    print(f"inner {time.perf_counter() - start:.6f}", flush=True)
    return found


def settings(visibility):
    """Settings, calibrated on the images of calibration.json so that no accuracy is lost on them, and the compiled circuit."""
    options = ezkl.PyRunArgs()
    options.input_visibility = options.output_visibility = "public"
    options.param_visibility = visibility
    call(ezkl.gen_settings, "model.onnx", "settings.json", py_run_args=options)
    call(ezkl.calibrate_settings, "calibration.json", "model.onnx", "settings.json", "resources")
    call(ezkl.compile_circuit, "model.onnx", "circuit.ezkl", "settings.json")


def reference_string(visibility, folder):
    """A development reference string: its secret is known to this process. The real one is a download. Made once per size in FOLDER
    and kept; prints what that took."""
    with open("settings.json") as file:
        power = json.load(file)["run_args"]["logrows"]
    kept, told = (os.path.join(folder, f"development_{power}.{kind}") for kind in ("srs", "json"))
    if not os.path.exists(told):
        start = time.perf_counter()
        ezkl.gen_srs(kept, power)
        with open(told, "w") as file:
            json.dump({"seconds": time.perf_counter() - start}, file)
    shutil.copy(kept, "kzg.srs")
    with open(told) as file:
        print(f"inner {json.load(file)['seconds']:.6f}", flush=True)


def keys(visibility):
    call(ezkl.setup, "circuit.ezkl", "vk.key", "pk.key", srs_path="kzg.srs")


def witness(visibility):
    with open("pixels.json") as pixels, open("input.json", "w") as file:
        json.dump({"input_data": [json.load(pixels)]}, file)
    call(ezkl.gen_witness, "input.json", "circuit.ezkl", "witness.json", vk_path="vk.key", srs_path="kzg.srs")


def prove(visibility):
    call(ezkl.prove, "witness.json", "circuit.ezkl", "pk.key", proof_path="proof.json", srs_path="kzg.srs")


def verify(visibility, proof="proof.json"):
    try:
        accepted = call(ezkl.verify, proof, "settings.json", "vk.key", srs_path="kzg.srs")
    except RuntimeError as error:
        print(error, file=sys.stderr)
        accepted = False
    print("accepted" if accepted else "refused", flush=True)
    return 0 if accepted else 1


def contract(visibility):
    """Writes verifier.sol and calldata.bin. Its compiler download may fail: the source is written before, and is all we need."""
    try:
        call(ezkl.create_evm_verifier, "vk.key", "settings.json", "verifier.sol", "verifier.abi", srs_path="kzg.srs")
    except RuntimeError as error:
        if "svm" not in str(error) or not os.path.exists("verifier.sol"):
            raise
    call(ezkl.encode_evm_calldata, "proof.json", "calldata.bin")


def classes(visibility, count):
    """The class EZKL's own witness gives each of the first COUNT images of images.json, as a JSON list."""
    with open("images.json") as file:
        images = json.load(file)[: int(count)]
    found = []
    for pixels in images:
        with open("one.json", "w") as file:
            json.dump({"input_data": [pixels]}, file)
        call(ezkl.gen_witness, "one.json", "circuit.ezkl", "one.witness")
        with open("one.witness") as file:
            outputs = json.load(file)
        logits = [float(value) for value in outputs["pretty_elements"]["rescaled_outputs"][0]]
        found.append(logits.index(max(logits)))
    print(json.dumps(found))


if __name__ == "__main__":
    code = globals()[sys.argv[1]](*sys.argv[2:]) or 0
    sys.stdout.flush()
    os._exit(code)  # its threads sometimes abort the interpreter at exit
