"""The OpenAPI document of the server: the one list of what each route takes and gives."""

from __future__ import annotations

from typing import Any

Answer = dict[str, Any]
_TEXT, _WHOLE, _BOOL = {"type": "string"}, {"type": "integer"}, {"type": "boolean"}
_WHOLES = {"type": "array", "items": _WHOLE, "description": "The outputs, where the claim is logits."}
_HEX = {"type": "string", "pattern": "^(0x)?([0-9a-fA-F]{2})*$", "description": "Bytes in hexadecimal digits."}
_ERROR = {
    "type": "object",
    "properties": {
        "error": {
            "type": "object",
            "properties": {"kind": _TEXT, "what": _TEXT, "where": _TEXT, "next": _TEXT},
            "required": ["kind", "what", "where", "next"],
        }
    },
    "required": ["error"],
}
_REFUSALS = {
    "400": "Not strict JSON: doubled names, NaN and deep nesting are refused too.",
    "401": "The server asks for a token.",
    "408": "The body came too slowly.",
    "413": "The body is too large.",
    "415": "The body is no application/json.",
    "421": "The Host header names another server.",
    "422": "A field cannot be used, or the network does not say this class.",
    "429": "The queue is full, or this client asks too often: see Retry-After.",
    "500": "The server failed.",
    "504": "No answer in time.",
}


def document(model: Answer) -> Answer:
    """The document for the model that is served."""
    inputs, classes = model["inputs"], model["classes"]
    image = {
        "description": f"{inputs} bytes, one an input: hexadecimal digits, or numbers from 0 to 255.",
        "oneOf": [_HEX, {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 255}, "minItems": inputs, "maxItems": inputs}],
    }
    number = {"oneOf": [{"type": "number"}, {"type": "string", "description": "A decimal, exactly."}]}
    features = {
        "description": "Readings in the model's scales, by name or in order; instead of image.",
        "oneOf": [{"type": "object", "additionalProperties": number}, {"type": "array", "items": number}],
    }
    wanted = {"description": f"Refuse unless the network says this class: 0 to {classes - 1}, or its name.", "oneOf": [_WHOLE, _TEXT]}
    context = {**_HEX, "description": "32 bytes that name whom or what the proof is for: it is valid for these alone."}
    verifiers = {"enum": model["verifiers"], "default": "native", "description": "Which verifier is asked."}
    statement = {"image": image, "features": features, "proof": _HEX}
    key = {
        "name": "Idempotency-Key",
        "in": "header",
        "schema": {"type": "string", "minLength": 8, "maxLength": 128},
        "description": "The same request under the same key is one proof, however often it is sent.",
    }
    paths: Answer = {
        "/v1/model": _get("The model: commitment, id, shape, claim, feature scale, class names.", {"model_id": _TEXT, "commitment": _HEX, "claim": _TEXT, "says": _TEXT}),
        "/v1/prove": _post(
            "Prove what the network says about an input.",
            {"image": image, "features": features, "class": wanted, "context": context},
            {"id": _TEXT, "digit": _WHOLE, "class_name": _TEXT, "claim": _TEXT, "outputs": _WHOLES, "proof": _HEX, "input": _HEX, "rounds": {"type": "array", "items": {"type": "object"}}},
            parameters=[key],
        ),
        "/v1/proofs/{id}": _get("A proof that was issued, by its id.", {"id": _TEXT, "proof": _HEX}, path="id"),
        "/v1/verify": _post(
            "Check a proof. A proof that does not hold is an answer, not an error: valid is false, with kind and reason.",
            {**statement, "context": context, "in": verifiers},
            {"valid": _BOOL, "verifier": _TEXT, "kind": _TEXT, "reason": _TEXT, "digit": _WHOLE, "claim": _TEXT, "outputs": _WHOLES, "gas": _WHOLE, "parts": {"type": "object"}},
            required=["proof"],
        ),
        "/v1/calldata": _post("What a transaction to the verifier contract carries.", statement, {"data": _HEX, "function": _TEXT}, required=["proof"]),
        "/v1/health": _get("Whether the server works.", {"status": _TEXT, "waiting": _WHOLE}),
        "/metrics": _get("Counts and times in the text format of Prometheus.", None),
    }
    if model["open"]:
        paths["/v1/open"] = _post(
            "The same prediction with the weights in the open: a contract's gas, a Bitcoin script's bytes.",
            {"image": image, "features": features},
            {"solidity": {"type": "object"}, "bitcoin": {"type": "object"}},
        )
    if model["node"] and model["node"]["signs"] == "server":
        said = {"valid": _BOOL, "transaction": _TEXT, "gas": _WHOLE}
        paths["/v1/transaction"] = _post("Send a proof to the verifier contract, signed here; once for each proof.", statement, said, required=["proof"])
    return {
        "openapi": "3.1.0",
        "info": {"title": "zkpredict", "version": "1", "description": f"Proofs of what the network {model['network']} says. {model['says']}"},
        "paths": paths,
        "components": {"schemas": {"Error": _ERROR}, "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
        "security": [{}, {"token": []}],
    }


def _post(summary: str, takes: Answer, gives: Answer, required: list[str] | None = None, parameters: list[Answer] | None = None) -> Answer:
    schema = {"type": "object", "properties": takes, "additionalProperties": False, **({"required": required} if required else {})}
    refusals = {code: {"description": text, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}} for code, text in _REFUSALS.items()}
    body = {"required": True, "content": {"application/json": {"schema": schema}}}
    return {"post": {"summary": summary, "requestBody": body, "responses": {"200": _answer(gives), **refusals}, **({"parameters": parameters} if parameters else {})}}


def _get(summary: str, gives: Answer | None, path: str | None = None) -> Answer:
    found: Answer = {"summary": summary, "responses": {"200": _answer(gives)}}
    if path is not None:
        found["parameters"] = [{"name": path, "in": "path", "required": True, "schema": _TEXT}]
    return {"get": found}


def _answer(gives: Answer | None) -> Answer:
    if gives is None:
        return {"description": "As said.", "content": {"text/plain": {}}}
    return {"description": "As said.", "content": {"application/json": {"schema": {"type": "object", "properties": gives}}}}
