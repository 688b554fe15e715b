import { escapeAttribute as escaped } from "@reveille/xml";

/** A field of a form that answers (XEP-0004 §3.3); several values make it `text-multi`. */
export interface Field {
  readonly name: string;
  readonly label: string;
  readonly values: readonly string[];
}

/** The XML of a form of type `result`. */
export function formXml(formType: string, title: string, fields: readonly Field[]): string {
  const hidden = `<field var='FORM_TYPE' type='hidden'><value>${escaped(formType)}</value></field>`;
  const rest = fields.map(fieldXml).join("");
  return `<x xmlns='jabber:x:data' type='result'><title>${escaped(title)}</title>${hidden}${rest}</x>`;
}

function fieldXml({ name, label, values }: Field): string {
  const type = values.length > 1 ? "text-multi" : "text-single";
  const value = values.map((text) => `<value>${escaped(text)}</value>`).join("");
  return `<field var='${escaped(name)}' type='${type}' label='${escaped(label)}'>${value}</field>`;
}
