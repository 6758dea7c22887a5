/** Why a text is no JSON; undefined: it is. */
export const whyNotJson = (text: string): string | undefined => {
  try {
    JSON.parse(text);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
};
