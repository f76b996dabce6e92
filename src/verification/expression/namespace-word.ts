import { RefwardenError } from '../../failures/failure.ts';

/** What CEL reserves and expressions name all the same, and what it is called while the parser reads it: of one length. */
const word = 'namespace';
const standIn = 'namespac_';

/** Text and comments, which stay as they are; or the word where it is no field (`workload.namespace`) and no part of another. */
const tokens =
  /[rR][bB]?(?:"""[^]*?"""|'''[^]*?'''|"[^"\n]*"|'[^'\n]*')|[bB][rR](?:"""[^]*?"""|'''[^]*?'''|"[^"\n]*"|'[^'\n]*')|"""(?:\\[^]|[^\\])*?"""|'''(?:\\[^]|[^\\])*?'''|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|\/\/[^\n]*|\.\s*[A-Za-z_]\w*|[A-Za-z_]\w*/g;

/** The expression as the parser takes it. @throws RefwardenError `ExpressionInvalid`. */
export function hideNamespace(expression: string): string {
  return expression.replace(tokens, (token) => {
    if (token === standIn) {
      throw new RefwardenError(
        'ExpressionInvalid',
        `The expression cannot be used: ${standIn} is not known.`,
      );
    }
    return token === word ? standIn : token;
  });
}

/** The name that the expression has. */
export const shownName = (name: string): string => (name === standIn ? word : name);
