/* SPDX-License-Identifier: MIT */
/* confirm.js: a new password is typed twice; whether it was the same is said as the field is left. */
import { text } from "./texts.js";

const second = (form) => form.elements.confirm_password;
const differs = (form) => second(form).value !== form.querySelector("[data-strength]").value;

const mark = async (form, wrong) => {
	const field = second(form);
	const line = document.getElementById("confirm-mistake");

	if (wrong)
		field.setAttribute("aria-invalid", "true");
	else
		field.removeAttribute("aria-invalid");
	const words = wrong ? await text(`error.invalid_field.${document.body.className}`) : "";

	if (field.hasAttribute("aria-invalid") === wrong && line.textContent !== words)
		line.textContent = words;
};

/* Before a form is sent: false where its two passwords differ; then that is said, and the second has the focus. */
export const agree = (form) => {
	if (!second(form))
		return true;
	const wrong = differs(form);

	mark(form, wrong);
	if (wrong) {
		second(form).focus();
		second(form).select();
	}
	return !wrong;
};

export const addConfirm = (field) => {
	const { form } = field;

	for (const each of [field, form.querySelector("[data-strength]")]) {
		each.addEventListener("change", () => mark(form, field.value !== "" && differs(form)));
		each.addEventListener("input", () => differs(form) || mark(form, false));
	}
};
