/* SPDX-License-Identifier: MIT */
import { looks } from "./looks.mjs";

looks([
	{ width: 360, javaScriptEnabled: true, colorScheme: "light", locale: "es-ES", axe: true },
]);
