/* SPDX-License-Identifier: MIT */
import { looks } from "./looks.mjs";

looks([
	{ width: 1280, javaScriptEnabled: false, colorScheme: "dark" },
	{ width: 360, javaScriptEnabled: false, colorScheme: "light", locale: "es-ES", axe: true },
]);
