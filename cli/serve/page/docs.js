// The API's page, from its OpenAPI document.

import { $, el } from "./dom.js";

const kind = (schema) => schema.enum?.join(" or ") ?? schema.oneOf?.map(kind).join(" or ") ?? schema.type;

function fields(title, schema) {
  if (!schema?.properties) return [];
  const rows = Object.entries(schema.properties).map(([name, one]) => el("tr", {}, el("td", {}, el("code", {}, name), schema.required?.includes(name) ? " (needed)" : ""), el("td", {}, kind(one)), el("td", {}, one.description ?? "")));
  return [el("h3", {}, title), el("table", {}, el("tbody", {}, ...rows))];
}

function section(path, method, { summary, requestBody, responses, parameters = [] }) {
  const refusals = Object.entries(responses).filter(([code]) => code !== "200").map(([code, { description }]) => el("li", {}, el("code", {}, code), ` ${description}`));
  return el("section", {},
    el("h2", {}, el("code", {}, `${method.toUpperCase()} ${path}`)),
    el("p", {}, summary),
    ...parameters.map((one) => el("p", {}, el("code", {}, one.name), ` (${one.in}) ${one.description ?? ""}`)),
    ...fields("Takes", requestBody?.content["application/json"].schema),
    ...fields("Gives", responses["200"].content["application/json"]?.schema),
    ...(refusals.length ? [el("details", {}, el("summary", {}, "Refusals"), el("ul", {}, ...refusals))] : []));
}

const document_ = await (await fetch("/openapi.json")).json();
$("about").textContent = document_.info.description;
$("routes").replaceChildren(...Object.entries(document_.paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, one]) => section(path, method, one))));
