/* SPDX-License-Identifier: MIT */
import { looks } from "./looks.mjs";

looks([
	{ width: 1280, javaScriptEnabled: true, colorScheme: "light", axe: true },
	{ width: 360, javaScriptEnabled: true, colorScheme: "dark", locale: "de-DE", axe: true },
]);
